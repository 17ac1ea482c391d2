from typing import Any

import pytest

from orchestrator.contract.messages import Heartbeat, JobOutcome
from tests.support.tries import request
from workers.engine.interface import ContainerState, ObservedContainer
from workers.supervision.decide import (
    Action,
    Attach,
    Collect,
    Conflict,
    Create,
    Lost,
    Return,
    Start,
    decide,
)
from workers.supervision.identity import Namespace, all_labels, identity_labels, name_of

REQUEST = request("run", "true", variant="a, b")
LABELS = all_labels(REQUEST, namespace=Namespace("default", "id-1"))
DONE = JobOutcome(status="success", exit_code=0)


def seen(state: ContainerState = "running", **labels: str | None) -> ObservedContainer:
    changed = {f"dev.orca.{name}" if name != "mark" else "dev.orca": value for name, value in labels.items()}
    kept = {name: value for name, value in (LABELS | changed).items() if value is not None}
    return ObservedContainer(id="id", name=name_of(REQUEST), state=state, labels=kept)


def beat(phase: Any, container: str = "0123456789abcdef") -> Heartbeat:
    return Heartbeat(host="h1", container_id=container, phase=phase)


LOST = Lost("the container 0123456789ab ran on host 'h1' and cannot be found any more, nor its outcome")
ABSENT = Create("there is no container of this try")
KNOWN = "the outcome of this try is in the store"


@pytest.mark.parametrize(
    ("observed", "recorded", "previous", "action"),
    [
        (None, None, None, ABSENT),
        (None, None, beat("looking", ""), ABSENT),
        (None, None, beat("preparing"), ABSENT),
        (None, None, beat("running"), LOST),
        (None, None, beat("collecting"), LOST),
        # Its predecessor saw it.
        (None, None, beat("looking"), LOST),
        (None, DONE, beat("running"), Return(DONE, None, KNOWN)),
        (seen("exited"), DONE, None, Return(DONE, "id", KNOWN)),
        (seen(run="other"), DONE, None, Return(DONE, None, KNOWN)),
        (seen("created"), None, None, Start(seen("created"), "the container was made and never ran")),
        (seen("running"), None, beat("running"), Attach(seen("running"), "the container runs")),
        (seen("paused"), None, None, Attach(seen("paused"), "the container runs")),
        (seen("exited"), None, None, Collect(seen("exited"), "the container has ended")),
        (seen("dead"), None, None, Collect(seen("dead"), "the container has ended")),
        (seen(mark=None), None, None, Conflict(seen(mark=None), "it has no label 'dev.orca'")),
        # Somebody removed it and took its name.
        (seen(mark=None), None, beat("running"), LOST),
        (seen(mark=None), None, beat("preparing"), Conflict(seen(mark=None), "it has no label 'dev.orca'")),
        (seen(mark=None), DONE, beat("running"), Return(DONE, None, KNOWN)),
        (
            seen("exited", plan="older"),
            None,
            None,
            Conflict(seen("exited", plan="older"), "its label 'dev.orca.plan' is 'older' and not 'digest'"),
        ),
        (
            seen(variant=None),
            None,
            None,
            Conflict(seen(variant=None), "it has no label 'dev.orca.variant'"),
        ),
    ],
)
def test_decisions(
    observed: ObservedContainer | None,
    recorded: JobOutcome | None,
    previous: Heartbeat | None,
    action: Action,
) -> None:
    assert decide(REQUEST, observed, recorded=recorded, previous=previous) == action


@pytest.mark.parametrize("label", identity_labels(REQUEST))
def test_every_identifying_label_counts(label: str) -> None:
    labels = LABELS | {label: "other"}
    observed = ObservedContainer(id="id", name="n", state="running", labels=labels)
    assert isinstance(decide(REQUEST, observed, recorded=None, previous=None), Conflict)


def test_labels() -> None:
    assert LABELS == {
        "dev.orca": "true",
        "dev.orca.run": "run",
        "dev.orca.attempt": "1",
        "dev.orca.job": "job",
        "dev.orca.try": "1",
        "dev.orca.plan": "digest",
        "dev.orca.variant": "a, b",
        "dev.orca.namespace": "default",
        "dev.orca.namespace-id": "id-1",
    }
    kept = all_labels(request("run", cleanup="keep_on_failure"), namespace=Namespace("n"))
    assert kept["dev.orca.keep"] == "keep_on_failure"
