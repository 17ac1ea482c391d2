"""What people read about room."""

import pytest

from orchestrator.contract.capacity import Ask, SharedRoom
from orchestrator.contract.services import StartServices
from orchestrator.plan.parts import Resources
from tests.support.scopes import scope, service
from tests.support.tries import request
from workers.placement.amounts import Amount
from workers.placement.decide import Host, Refuse, Send
from workers.placement.wanted import Wanted, of_job, of_services
from workers.placement.words import offer_text, refusal, sent, waiting
from workers.supervision.identity import name_of
from workers.supervision.services.identity import network_of

GIB = 1024**3
OFFER = Amount(8, 2.0, int(23.4 * GIB))


def work(cpus: float = 0.0, memory: int = 0, who: str = "the job") -> Wanted:
    return Wanted("key", Amount(0, cpus, memory), who)


def here(free: Amount) -> Host:
    return Host("a", OFFER, free)


@pytest.mark.parametrize(
    ("wanted", "hosts", "text"),
    [
        (
            work(64, 2 * GIB),
            [Host("a", OFFER, OFFER)],
            "capacity: the job asks for 64 CPUs and 2 GiB; the largest worker, host 'a', offers 2 CPUs and 23.4 GiB;",
        ),
        (
            work(64, who="the job and its services together"),
            [Host("a", OFFER, OFFER)],
            "capacity: the job and its services together ask for 64 CPUs; the largest worker, host 'a', offers 2 CPUs;",
        ),
        (
            work(64, 2 * GIB),
            [Host("a", OFFER, OFFER), Host("b", Amount(1, 1, 64 * GIB), OFFER)],
            "capacity: the job asks for 64 CPUs and 2 GiB; the worker with the most processors, host 'a', offers 2 CPUs"
            " and 23.4 GiB, and the one with the most memory, host 'b', 1 CPU and 64 GiB;",
        ),
    ],
)
def test_a_refusal_names_what_is_asked_and_what_is_offered(
    wanted: Wanted, hosts: list[Host], text: str
) -> None:
    what_next = " ask for less in 'resources', or start a worker on a larger host"
    assert str(refusal(wanted, Refuse(tuple(hosts)))) == text + what_next


@pytest.mark.parametrize(
    ("need", "free", "nobody_has", "text"),
    [
        (Amount(0, 2.0), Amount(8, 0.5, GIB), Amount(8, 0.5, GIB), "asks for 2 CPUs, 0.5 are free"),
        (Amount(0, 2.0), Amount(8, 1.0, GIB), Amount(8, 1.0, GIB), "asks for 2 CPUs, 1 is free"),
        (Amount(0, 2.0), Amount(8, -1.0, GIB), Amount(8, -1.0, GIB), "asks for 2 CPUs, 0 are free"),
        (
            Amount(0, 0.5, GIB),
            Amount(8, 1.0, 0),
            Amount(8, 1.0, GIB // 2),
            "asks for 1 GiB, 512 MiB are free",
        ),
        (
            Amount(0, 2.0, GIB),
            Amount(8, 1.0, 0),
            Amount(8, 1.0, GIB // 2),
            "asks for 2 CPUs and 1 GiB, 1 CPU and 512 MiB are free",
        ),
        (
            Amount(0, 0.5),
            Amount(8, -1.0),
            Amount(8, 1.0),
            "asks for 0.5 CPUs, and others that wait came first",
        ),
        (Amount(1), Amount(0, 2.0), Amount(0, 2.0), "it runs at most 8 jobs at a time"),
    ],
)
def test_who_waits_says_for_what(need: Amount, free: Amount, nobody_has: Amount, text: str) -> None:
    said = waiting(need, here(free), nobody_has)
    assert said.removeprefix("waiting for room on host 'a': ") == text


def test_where_work_is_sent_and_why() -> None:
    assert sent(work(1), "a", Send("b", now=True)) == "host 'a' has no room for 1 CPU now, and host 'b' has"
    assert sent(work(9), "a", Send("b", now=False)) == "host 'a' does not offer 9 CPUs, and host 'b' does"


def test_an_offer() -> None:
    assert offer_text(OFFER) == "2 CPUs and 23.4 GiB"


ROOM = SharedRoom(network="net", services=Ask(cpus=1), reserve=Ask(cpus=2))


def test_what_a_job_asks_for() -> None:
    alone = request("run", "true").model_copy(update={"resources": Resources(cpus=0.1, memory=5, pids=7)})
    assert of_job(alone, queued=True) == Wanted(name_of(alone), Amount(0, 0.1, 5), "the job")
    # Sent to this host, or beside services, it needs a place of its own.
    assert of_job(alone, queued=False).amount == Amount(1, 0.1, 5)
    shared = alone.model_copy(update={"networks": ("net",), "shared": ROOM})
    assert of_job(shared, queued=True) == Wanted(name_of(alone), Amount(1, 0.1, 5), "the job", ROOM)
    assert of_job(alone.model_copy(update={"networks": ("none",)}), queued=True).amount.jobs == 0


def test_a_job_and_its_services_are_one_unit() -> None:
    services = (
        service(resources=Resources(cpus=0.2, memory=7)),
        service("cache", resources=Resources(cpus=0.7)),
    )
    start = StartServices(scope=scope("run"), services=services, job=Ask(cpus=0.1, memory=5))
    unit = of_services(start)
    assert (unit.key, unit.amount) == (network_of(start.scope), Amount(1, 1.0, 12))
    trying = request("run", "true").model_copy(
        update={
            "job": start.scope.job,
            "networks": (network_of(start.scope),),
            "resources": Resources(cpus=0.1, memory=5),
            "beside": Ask(cpus=0.9, memory=7),
        }
    )
    follows = of_job(trying, queued=False)
    assert (follows.key, follows.amount) == (unit.key, unit.amount)


def test_shared_services_set_room_aside_for_the_largest_of_their_jobs() -> None:
    start = StartServices(
        scope=scope("run").model_copy(update={"job": ""}),
        services=(service(resources=Resources(cpus=1)),),
        job=Ask(cpus=2),
    )
    wanted = of_services(start)
    assert (wanted.amount, wanted.reserve, wanted.is_job) == (Amount(0, 3.0), Amount(0, 2.0), False)
