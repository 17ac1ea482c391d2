"""Every text of a spec that may hold `${{ }}`, with where it stands and what it may read there. No judgement here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from orchestrator.compile.draft import Draft
from orchestrator.compile.input_checks import leaves
from orchestrator.compile.services import Written
from orchestrator.compile.strategy import written_values
from orchestrator.errors import ExpressionError
from orchestrator.expressions import ALIASES, Hole, references, segments
from orchestrator.spec.model import DefaultsShape, JobShape
from orchestrator.spec.places import Path

Reads = Literal["no jobs", "upstream", "upstream and itself", "all jobs"]
Part = Literal[
    "condition", "when", "strategy", "title", "service", "image", "inputs", "publish", "vars", "other"
]
"""What a text is for: `if` or `unless`; a branch's `when`; what says a job's variants; `name`; a service; a job's
image; what a job of another kind than a container is given; `publish`; the first value of a variable; all else."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text with `${{ }}`, or a condition."""

    path: Path
    text: str
    owner: str
    """For messages: `job 'build'`, `the workflow's 'env'`."""
    job: str | None
    reads: Reads
    env: Mapping[str, str]
    """The `env` values that an expression there can read."""
    part: Part = "other"

    @property
    def reads_services(self) -> bool:
        """Whether the services of its job run when it is evaluated."""
        return self.job is not None and self.part == "other"

    @property
    def is_condition(self) -> bool:
        """Whether it is an `if`, `unless` or `when`, in which `${{ }}` is optional."""
        return self.part in ("condition", "when")


def places(draft: Draft) -> Iterator[Place]:
    """All of them, in no promised order. Texts without `${{` are left out, but for conditions."""
    spec = draft.spec
    for name, text in spec.env.items():
        if "${{" in text:
            yield Place(("env", name), text, "the workflow's 'env'", None, "no jobs", spec.env)
    for path, text in _json_texts(spec.vars, ("vars",)):
        yield Place(path, text, "the workflow's 'vars'", None, "no jobs", {}, part="vars")
    shared = {**spec.env, **spec.defaults.env}
    for path, text in _templates_of(spec.defaults, ("defaults",)):
        yield Place(path, text, "'defaults'", None, "no jobs", shared)
    for written in draft.services.shared:
        for path, text, env in _of_service(written, spec.env):
            yield Place(path, text, f"service '{written.name}'", None, "no jobs", env, part="service")
    for name in spec.jobs:
        yield from places_of(draft, name)
    for name, text in spec.outputs.items():
        if "${{" in text:
            yield Place(("outputs", name), text, "the workflow's 'outputs'", None, "all jobs", spec.env)


def places_of(draft: Draft, name: str) -> Iterator[Place]:
    """Those of one job."""
    spec, owner, at = draft.spec, f"job '{name}'", ("jobs", name)
    job, merged = spec.jobs[name], draft.jobs[name].env
    for key, condition in (("if", job.if_), ("unless", job.unless)):
        if condition is not None:
            yield Place((*at, key), condition, owner, name, "upstream", spec.env, part="condition")
    for path, value in written_values(name, job):
        if isinstance(value, str) and "${{" in value:
            yield Place(path, value, owner, name, "upstream", spec.env, part="strategy")
    if job.name is not None and "${{" in job.name:
        yield Place((*at, "name"), job.name, owner, name, "upstream", spec.env, part="title")
    yield from _places_of_kind(job, name, spec.env)
    for path, text in _of_container(job, at):
        part: Part = "image" if path == (*at, "image") else "other"
        yield Place(path, text, owner, name, "upstream", merged, part=part)
    for written in draft.services.of(name).own:
        for path, text, env in _of_service(written, spec.env):
            yield Place(path, text, owner, name, "upstream", env, part="service")
    computed = job.outputs if isinstance(job.outputs, dict) else {}
    afterwards: tuple[tuple[str, Mapping[str, str], Part], ...] = (
        ("outputs", computed, "other"),
        ("publish", job.publish, "publish"),
    )
    for key, texts, part in afterwards:
        for target, text in texts.items():
            if "${{" in text:
                path = (*at, key, target)
                yield Place(path, text, owner, name, "upstream and itself", spec.env, part=part)


def _of_container(job: JobShape, at: Path) -> Iterator[tuple[Path, str]]:
    """The texts with `${{` that say what a job's container does."""
    yield from _templates_of(job, at)
    for key, listed in (
        ("commands", job.commands),
        ("artifacts", job.artifacts),
        ("entrypoint", job.entrypoint or ()),
    ):
        yield from (((*at, key, index), text) for index, text in enumerate(listed) if "${{" in text)


def _places_of_kind(job: JobShape, name: str, env: Mapping[str, str]) -> Iterator[Place]:
    """Those of what makes a job another kind than a container."""
    owner, at = f"job '{name}'", ("jobs", name)
    for path, text in _of_other_kinds(job, at):
        yield Place(path, text, owner, name, "upstream", env, part="inputs")
    for number, branch in enumerate(job.choice or ()):
        if branch.when is not None:
            path = (*at, "choice", number, "when")
            yield Place(path, branch.when, owner, name, "upstream", env, part="when")


def _of_other_kinds(job: JobShape, at: Path) -> Iterator[tuple[Path, str]]:
    """The texts with `${{` that say what a gate, a wait, a call or a nested workflow does."""
    yield from _json_texts(job.with_, (*at, "with"))
    if job.wait is not None:
        # Without its key it is a text alone, and stands where its key would.
        yield from _json_texts({"for": job.wait.for_, "until": job.wait.until}, (*at, "wait"))
    gate = job.gate
    if gate is None:
        return
    yield from _json_texts({"prompt": gate.prompt, "approvers": gate.approvers}, (*at, "gate"))
    for name, field in gate.fields_.items():
        texts = {
            "label": field.label,
            "description": field.description,
            "default": field.default,
            "options": field.options,
        }
        yield from _json_texts(texts, (*at, "gate", "fields", name))


def _json_texts(value: object, at: Path) -> Iterator[tuple[Path, str]]:
    """The texts with `${{` in a JSON value."""
    yield from ((path, text) for path, text in leaves(value, at) if isinstance(text, str) and "${{" in text)


def _of_service(written: Written, env: Mapping[str, str]) -> Iterator[tuple[Path, str, Mapping[str, str]]]:
    """The texts with `${{` of a service, each with the `env` that it can read."""
    shape, at = written.shape, written.path
    if "${{" in shape.image:
        yield (at if written.listed else (*at, "image")), shape.image, env
    for key, listed in (("command", shape.command or ()), ("entrypoint", shape.entrypoint or ())):
        yield from (((*at, key, index), text, env) for index, text in enumerate(listed) if "${{" in text)
    known = {**env, **shape.env}
    for name, text in shape.env.items():
        if "${{" in text:
            yield (*at, "env", name), text, known


def _templates_of(shape: DefaultsShape, at: Path) -> Iterator[tuple[Path, str]]:
    """The texts with `${{` that `defaults` and a job have in common."""
    for key, text in (("image", shape.image), ("working_dir", shape.working_dir), ("user", shape.user)):
        if text is not None and "${{" in text:
            yield (*at, key), text
    for name, text in shape.env.items():
        if "${{" in text:
            yield (*at, "env", name), text


def expressions_of(place: Place) -> Iterator[tuple[str, int]]:
    """The expressions of a text, each with where it begins; none where they are broken."""
    try:
        holes = [part for part in segments(place.text) if isinstance(part, Hole)]
    except ExpressionError:
        return
    if place.is_condition and not holes:
        source = place.text.strip()
        yield source, place.text.index(source)
    for hole in holes:
        yield hole.source, hole.offset


def paths_read(place: Place, context: str) -> Iterator[tuple[str | None, ...]]:
    """What the sound expressions of a text read of a context, under each of its names."""
    names = (context, *(alias for alias, own in ALIASES.items() if own == context))
    if all(name not in place.text.lower() for name in names):
        return  # most texts; parsing is what costs
    for source, _ in expressions_of(place):
        try:
            found = references(source)
        except ExpressionError:
            continue  # E201 tells
        yield from (item.path for item in found if str(item.path[0]).lower() in names)
