"""The documentation holds together: links resolve, every key has its place and example, every command exists.

`ORCA_UPDATE_GOLDEN=1 pytest tests/unit/test_docs.py` writes into the pages what the compiler says of wrong examples.
"""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestrator.cli.app import app
from orchestrator.compile import compile_text, specs_in_memory
from orchestrator.contract.messages import ArtifactRef, JobRecord, RunRecord, TryRecord
from orchestrator.errors import SpecError
from orchestrator.expressions import KNOWN_FUNCTIONS
from orchestrator.plan.parts import Frozen
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.explanations import EXPLANATIONS
from orchestrator.spec.key_texts import KEY_TEXTS
from orchestrator.spec.kinds import BranchShape, GateFieldShape, GateShape, ReminderShape, WaitShape
from orchestrator.spec.model import (
    HealthCheckShape,
    HttpShape,
    JobShape,
    MatrixShape,
    ParamShape,
    ReadyShape,
    RequirementShape,
    ResourcesShape,
    RetryShape,
    ServiceShape,
    Spec,
)
from orchestrator.spec.schema import spec_schema
from orchestrator.spec.source import read_source
from orchestrator.spec.values import Shape
from tests.support.docs import FOLDER, PAGES, ROOT, Block, anchor, blocks, read, rewrite_after
from tests.support.json_schema import errors

BLOCKS = blocks()
SCHEMA = spec_schema()
PAGES_OF_KEYS = {
    "gate": "people.md",
    "wait": "time.md",
    "choice": "decisions.md",
    "on_success": "decisions.md",
    "on_failure": "decisions.md",
    "error_handlers": "decisions.md",
    "call": "functions.md",
    "with": "functions.md",
    "workflow": "nested.md",
    "vars": "variables.md",
    "publish": "variables.md",
}
"""Keys of jobs and workflows that are told of on another page than most."""
SECTIONS: list[tuple[type[Shape], str, str]] = [
    (Spec, "language/workflow.md", ""),
    (JobShape, "language/jobs.md", ""),
    (ParamShape, "language/workflow.md", "params"),
    (RequirementShape, "language/jobs.md", "requires"),
    (RetryShape, "language/jobs.md", "retry"),
    (ResourcesShape, "language/jobs.md", "resources"),
    (MatrixShape, "language/jobs.md", "matrix"),
    (ServiceShape, "language/services.md", ""),
    (HealthCheckShape, "language/services.md", "health_check"),
    (ReadyShape, "language/services.md", "health_check"),
    (HttpShape, "language/services.md", "health_check"),
    (GateShape, "language/people.md", "gate"),
    (GateFieldShape, "language/people.md", "fields"),
    (ReminderShape, "language/people.md", "reminder"),
    (WaitShape, "language/time.md", "wait"),
    (BranchShape, "language/decisions.md", "choice"),
]
"""Where the keys of each shape are told of: a section of their own on a page, or that of the key that holds them."""


def data_of(block: Block) -> Any:
    source, found = read_source(block.text, block.file)
    assert source is not None, f"{block.name}: {found}"
    return source.data


def test_there_is_documentation_to_test() -> None:
    assert len([block for block in BLOCKS if block.runs]) > 50


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in read(path).links:
        if "://" in link:
            continue
        target, _, place = link.partition("#")
        page = (path.parent / target).resolve() if target else path
        assert page.exists(), f"{path.relative_to(ROOT)}: {link}"
        assert page.is_relative_to(ROOT), link
        if place:
            assert place in [anchor(heading) for heading in read(page).headings], f"{path.name}: {link}"


@pytest.mark.parametrize(
    "path", [path for path in PAGES if path.name != "README.md"], ids=lambda path: path.name
)
def test_every_page_is_in_the_index(path: Path) -> None:
    index = FOLDER / "README.md"
    linked = {
        (index.parent / link.partition("#")[0]).resolve() for link in read(index).links if "://" not in link
    }
    assert path in linked


@pytest.mark.parametrize(
    ("shape", "page", "owner", "key"),
    [(shape, page, owner, key) for shape, page, owner in SECTIONS for key in KEY_TEXTS[shape]],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value) or "-",
)
def test_every_key_has_a_section_with_an_example_that_uses_it(
    shape: type[Shape], page: str, owner: str, key: str
) -> None:
    heading = f"`{owner or key}`"
    if shape in (JobShape, Spec) and key in PAGES_OF_KEYS:
        page = f"language/{PAGES_OF_KEYS[key]}"
    examples = [
        block for block in read(FOLDER / page).blocks if block.headings[-1:] == (heading,) and block.runs
    ]
    assert examples, f"docs/{page} has no section {heading} with an example"
    holders = [holder for block in examples for holder in holders_of(shape, data_of(block))]
    assert any(key in holder for holder in holders), f"no example of {heading} in docs/{page} uses '{key}'"
    if owner:
        assert f"`{key}`" in (FOLDER / page).read_text()


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def holders_of(shape: type[Shape], data: Any) -> list[dict[str, Any]]:
    """The mappings in a spec's data that have this shape."""
    jobs: list[dict[str, Any]] = [*data["jobs"].values(), data.get("defaults", {})]
    services: list[Any] = [one for job in jobs for one in mapping(job.get("services")).values()]
    checks = [mapping(one.get("health_check")) for one in map(mapping, services)]
    ready = [mapping(one.get("ready")) for one in checks]
    gates = [mapping(job.get("gate")) for job in jobs]
    inner: dict[type[Shape], list[Any]] = {
        Spec: [data],
        JobShape: jobs,
        ParamShape: list(data.get("params", {}).values()),
        RequirementShape: [one for job in jobs for one in job.get("requires", ())],
        RetryShape: [job.get("retry") for job in jobs],
        ResourcesShape: [job.get("resources") for job in jobs],
        MatrixShape: [job.get("matrix") for job in jobs],
        ServiceShape: services,
        HealthCheckShape: checks,
        ReadyShape: ready,
        HttpShape: [one.get("http") for one in ready],
        GateShape: gates,
        GateFieldShape: [field for gate in gates for field in mapping(gate.get("fields")).values()],
        ReminderShape: [gate.get("reminder") for gate in gates],
        WaitShape: [job.get("wait") for job in jobs],
        BranchShape: [branch for job in jobs for branch in job.get("choice", ())],
    }
    return [one for one in inner[shape] if isinstance(one, dict)]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.is_ours], ids=lambda block: block.name)
def test_every_spec_compiles_without_a_warning_or_says_what_is_wrong(block: Block) -> None:
    try:
        found = compile_text(block.text, block.file, read=specs_in_memory(block.files)).diagnostics
    except SpecError as error:
        found = error.diagnostics
    said = "".join(f"{item.pretty()}\n" for item in found if isinstance(item, Diagnostic))
    if "check" not in block.words:
        assert said == ""
        assert errors(SCHEMA, data_of(block)) == []
        return
    if os.environ.get("ORCA_UPDATE_GOLDEN") and said != block.after:
        rewrite_after(block, said)
        pytest.fail(f"{block.name} was rewritten; read the difference, then run again")
    assert said == block.after


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "sh"], ids=lambda block: block.name
)
def test_every_command_exists_with_its_options(block: Block) -> None:
    group: Any = typer.main.get_command(app)
    for line in commands_in(block.text):
        words = shlex.split(line, comments=True)
        words = words[: next((index for index, word in enumerate(words) if word in ("|", ">", "&&")), None)]
        name = words[1]
        assert name in group.commands or name.startswith("-"), f"{block.name}: {line}"
        if name in group.commands:
            group.commands[name].make_context(name, words[2:])


def commands_in(text: str) -> list[str]:
    return [line for line in text.split("\n") if re.match(r"(\.venv/bin/)?orca ", line)]


@pytest.mark.parametrize(
    "shape", [RunRecord, JobRecord, TryRecord, ArtifactRef], ids=lambda shape: shape.__name__
)
def test_every_key_of_a_record_is_told_of(shape: type[Frozen]) -> None:
    text = (FOLDER / "command-line.md").read_text()
    assert [name for name in shape.model_fields if f"`{name}`" not in text] == []


def test_every_code_is_in_the_table_of_codes() -> None:
    page = FOLDER / "diagnostics.md"
    before, head, found = page.read_text().partition("| --- | --- |\n")
    rows = [(code, one.title.replace("|", "\\|")) for code, one in EXPLANATIONS.items()]
    expected = "".join(f"| `{code}` | {title} |\n" for code, title in rows)
    if os.environ.get("ORCA_UPDATE_GOLDEN"):
        page.write_text(before + head + expected)
    else:
        assert found == expected


def test_every_function_is_in_the_tables() -> None:
    text = (FOLDER / "language" / "expressions.md").read_text()
    assert [name for name in KNOWN_FUNCTIONS if f"`{name}(" not in text] == []
