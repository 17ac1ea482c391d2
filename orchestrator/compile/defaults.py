"""What each job gets from `defaults` and from the workflow. Pure; the result has the shape of a job."""

from orchestrator.compile.kinds import gets_default, kind_of
from orchestrator.spec.model import DefaultsShape, JobShape, ResourcesShape, Spec


def with_defaults(spec: Spec) -> dict[str, JobShape]:
    """Every job with all that it does not say itself.

    `env` is the workflow's, then that of `defaults`, then the job's own, by name. `resources` are filled limit by
    limit. Everything else, `retry` too, is taken as a whole. A job gets only what fits its kind.
    """
    shared_env = {**spec.env, **spec.defaults.env}
    plain = [
        name
        for name in DefaultsShape.model_fields
        if name not in ("env", "resources") and getattr(spec.defaults, name) is not None
    ]
    return {name: _settled(job, spec.defaults, shared_env, plain) for name, job in spec.jobs.items()}


def _settled(
    job: JobShape, defaults: DefaultsShape, shared_env: dict[str, str], plain: list[str]
) -> JobShape:
    kind = kind_of(job)
    update: dict[str, object] = {
        name: getattr(defaults, name)
        for name in plain
        if getattr(job, name) is None and gets_default(kind, name)
    }
    if shared_env and kind == "container":
        update["env"] = {**shared_env, **job.env}
    if defaults.resources is not None and kind == "container":
        update["resources"] = _resources(job.resources or ResourcesShape(), defaults.resources)
    return job.model_copy(update=update) if update else job


def _resources(own: ResourcesShape, defaults: ResourcesShape) -> ResourcesShape:
    return defaults.model_copy(update={name: limit for name, limit in own if limit is not None})
