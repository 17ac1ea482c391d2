"""From a spec file and parameters to all that a run needs: plan, parameters, git context, shipped workspace."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.client.git import git_context
from orchestrator.client.hash_files import hashes_of
from orchestrator.client.python_spec import SUFFIX, yaml_of
from orchestrator.client.workspace_mark import mark_of
from orchestrator.compile import Compiled, ReadSpec, SpecFile, compile_text
from orchestrator.contract.messages import NestedFiles
from orchestrator.errors import UsageError
from orchestrator.plan.fingerprint import digest
from orchestrator.plan.markdown import plan_markdown
from orchestrator.plan.model import ContainerNode, Plan
from orchestrator.plan.params import bind_params, parse_given
from orchestrator.plan.parts import Json
from orchestrator.spec.text import MAX_BYTES
from orchestrator.store.store import Store
from orchestrator.store.workspace import ship


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to be submitted."""

    plan: Plan
    digest: str
    params: dict[str, Json]
    git: dict[str, str]
    workspace: str | None
    """Key in the store."""
    file_hashes: dict[str, str]
    """See `RunRequest.file_hashes`."""
    workspace_mark: str
    nested: dict[str, NestedFiles]
    """See `RunRequest`."""
    details: str
    """The plan in Markdown, for the Web UI."""
    warnings: tuple[str, ...]


def compile_file(path: Path) -> Compiled:
    """Read and compile a spec.

    Raises:
        UsageError: the file cannot be read.
        SpecError: it is wrong; carries every diagnostic.
    """
    try:
        text = read_spec(path)
    except OSError as error:
        raise UsageError(f"cannot read the spec '{path}': {error.strerror or error}") from error
    return compile_text(text, str(path), read=nested_reader(path))


def read_spec(path: Path) -> bytes:
    """A spec's bytes: one more than is allowed at most, so that the compiler sees that it is too large.

    Of a Python file the YAML that its workflow stands for.

    Raises:
        OSError: the file cannot be read.
        UsageError: a Python file has no workflow, or fails.
    """
    return yaml_of(path) if path.suffix == SUFFIX else read_yaml(path)


def read_yaml(path: Path) -> bytes:
    """The same of a file that is YAML whatever its name: what a spec nests is read so, as reading runs no code.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def nested_reader(path: Path) -> ReadSpec:
    """Reads what the spec at `path` nests, from its folder on."""
    folder = path.parent

    def read(path: str) -> SpecFile:
        found = folder / path
        return SpecFile(str(found), read_yaml(found))

    return read


def read_params(
    plan: Plan, given: Sequence[str], *, known: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """Parameters from `name=value` words, typed and checked. Raises UsageError naming every problem.

    `known` are values that hold where no word says otherwise; those that the plan does not declare are left out.
    """
    declared = {param.name: param for param in plan.params}
    values: dict[str, Json] = {name: value for name, value in (known or {}).items() if name in declared}
    problems: list[str] = []
    for word in given:
        name, equals, text = word.partition("=")
        if not equals:
            problems.append(f"--param takes name=value, and '{word}' has no '='")
            continue
        try:
            values[name] = parse_given(declared[name], text) if name in declared else text
        except UsageError as error:
            problems.append(str(error))
    try:
        bound = bind_params(plan.params, values)
    except UsageError as error:
        problems.append(str(error))
        bound = {}
    if problems:
        raise UsageError("; ".join(problems))
    return bound


@dataclass(frozen=True)
class Checked:
    """A spec and parameters that are right, before anything is shipped."""

    path: Path
    compiled: Compiled
    params: dict[str, Json]


def check(path: Path, params: Sequence[str], *, known: Mapping[str, Json] | None = None) -> Checked:
    """Compile the spec at `path` and check `params` (`name=value` words, beside those that are `known`).

    Raises SpecError or UsageError, each with all that is wrong.
    """
    compiled = compile_file(path)
    return Checked(path, compiled, read_params(compiled.plan, params, known=known))


async def prepare(checked: Checked, *, store: Store, ref: str | None = None, dry: bool = False) -> Prepared:
    """Ship the workspace into `store` and take down what git says; for a dry run nothing is shipped.

    Raises:
        UsageError: the workspace cannot be packed, or a file that `hashFiles` takes cannot be read.
        StoreError: it cannot be stored.
    """
    plan = checked.compiled.plan
    folder = checked.path.resolve().parent
    specs = [checked.path, *(folder / key for key in plan.workflows)]
    own, warnings = await _files_of(plan, folder, specs, store=store, dry=dry)
    nested: dict[str, NestedFiles] = {}
    for key, child in plan.workflows.items():
        # A nested spec's own folder is where its workspace begins.
        nested[key], more = await _files_of(child, (folder / key).parent, specs, store=store, dry=dry)
        warnings = (*warnings, *more)
    return Prepared(
        plan=plan,
        digest=digest(plan),
        params=checked.params,
        git=git_context(folder, ref=ref),
        workspace=own.workspace,
        file_hashes=own.file_hashes,
        workspace_mark=own.workspace_mark,
        nested=nested,
        details=plan_markdown(plan),
        warnings=(*(str(item) for item in checked.compiled.diagnostics), *dict.fromkeys(warnings)),
    )


async def _files_of(
    plan: Plan, folder: Path, specs: Sequence[Path], *, store: Store, dry: bool
) -> tuple[NestedFiles, tuple[str, ...]]:
    """What one plan needs of its workspace, shipped where a container starts in it, and warnings."""
    if plan.workspace is None:
        return NestedFiles(), ()
    key, mark, warnings = None, "", ()
    if not dry and any(isinstance(node, ContainerNode) and node.workspace for node in plan.jobs.values()):
        key, warnings = await ship(store, folder / plan.workspace)
        mark = await asyncio.to_thread(mark_of, folder / plan.workspace, but=specs)
    hashes = await asyncio.to_thread(hashes_of, plan, folder / plan.workspace)
    return NestedFiles(workspace=key, workspace_mark=mark, file_hashes=hashes), warnings
