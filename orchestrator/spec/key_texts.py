"""What an editor tells of each key of the language: a sentence or two, examples, and the default where it has one.

Texts only, one entry for each key of each shape; `schema.py` puts them into the JSON Schema, and a test holds that none
is missing. Defaults that the models do not have, as the compiler fills them in, stand here in words.
"""

from collections.abc import Mapping
from typing import Final

from orchestrator.spec.key_text import KeyText
from orchestrator.spec.kind_texts import JOB_KIND_TEXTS, KIND_TEXTS
from orchestrator.spec.model import (
    DefaultsShape,
    JobShape,
    MatrixShape,
    ParamShape,
    RequirementShape,
    ResourcesShape,
    RetryShape,
    Spec,
)
from orchestrator.spec.service_texts import SERVICE_TEXTS
from orchestrator.spec.values import Shape

_DEFAULTS: Final[Mapping[str, KeyText]] = {
    "image": KeyText("The container image that the job runs in. May hold ${{ }}.", ("alpine:latest",)),
    "timeout": KeyText(
        "How long one try of the job may take, from the start of its container. The container is stopped then and "
        "the try has failed for the reason 'timeout'.",
        ("10m", 90, "1h30m"),
        "6h; 1h for a job that runs after everything else",
    ),
    "retry": KeyText(
        "Tries again when a try failed. A number is short for {max_attempts: number}.",
        (3, {"max_attempts": 3, "delay": "5s", "backoff": "exponential"}),
        "no retries",
    ),
    "env": KeyText(
        "Environment variables. Values may hold ${{ }}; each may read those before it as env.NAME. Numbers and "
        "booleans are taken as they are written.",
        ({"REGION": "eu-north", "VERSION": "${{ params.version }}"},),
    ),
    "shell": KeyText(
        "What runs the commands: a program in the image, with its options; {0} stands for the script's file. With "
        "anything but a POSIX shell, values that are known only at run time come through env.",
        ("sh", "bash", "python {0}"),
        "sh",
    ),
    "working_dir": KeyText(
        "The folder that commands start in, as an absolute path in the container. May hold ${{ }}.",
        ("/srv/app",),
        "the workspace if the spec ships one, else the image's own",
    ),
    "user": KeyText(
        "The user that the container runs as: a name or number, with a group after ':' if wanted. May hold ${{ }}.",
        ("nobody", "1000:1000"),
        "the image's own",
    ),
    "pull": KeyText(
        "When the image is pulled: if it is missing on the host, always, or never. 'if_not_present' is another word "
        "for 'missing'.",
        ("missing", "always"),
        "missing",
    ),
    "resources": KeyText("Limits of the container.", ({"cpus": 0.5, "memory": "256m"},), "the engine's own"),
    "on_error": KeyText(
        "What a failure means. 'stop': what depends on the job is left out and the run fails. 'continue': what "
        "depends on it goes on and the run ends as partial. 'hold': the run stays open until a person says "
        "retry, skip, set outputs or fail.",
        ("continue", "hold"),
        "stop",
    ),
    "idempotent": KeyText(
        "Whether the job may be run again where nobody knows how far a try got, since its host or worker was lost. "
        "false: 'retry' leaves such a try alone, and the job is held until a person says retry, skip, set outputs or "
        "fail.",
        (False,),
        "true",
    ),
    "stop_grace": KeyText(
        "How long a container that is stopped has between the stop signal and the kill.", ("30s", 0), "10s"
    ),
}
"""Keys that `defaults` and a job have in common."""

_INCLUDE: Final = KeyText(
    "Mappings that are merged into the combinations whose own values they leave alone, or added as combinations.",
    ([{"os": "alpine", "python": "3.13"}],),
)
_EXCLUDE: Final = KeyText(
    "Mappings of axes to values: each combination that has all of one's values is left out.",
    ([{"os": "alpine", "python": "3.11"}],),
)
_MAX_VARIANTS_AT_A_TIME: Final = KeyText(
    "How many of the job's variants may run at the same time.", (2,), "as many as the run may"
)
_FAIL_FAST: Final = KeyText(
    "Whether the first failure cancels the variants that have not ended yet.", (False,), "true"
)

_JOB: Final[Mapping[str, KeyText]] = {
    "name": KeyText(
        "What people are shown beside the job's name. May hold ${{ }} that reads matrix and item.",
        ("Tests on Python ${{ matrix.python }}",),
    ),
    "matrix": KeyText(
        "Runs the job once for each combination of the values, which are read as matrix.axis. Or one expression that "
        "gives all of it.",
        ({"python": ["3.11", "3.12"], "os": ["alpine"]}, "${{ fromJSON(jobs.list.outputs.matrix) }}"),
    ),
    "include": _INCLUDE,
    "exclude": _EXCLUDE,
    "for_each": KeyText(
        "Runs the job once for each item of a list, or entry of a mapping, which is read as item (of a mapping "
        "item.key and item.value). Or one expression that gives the list or mapping.",
        (["eu", "us"], "${{ fromJSON(jobs.list.outputs.files) }}"),
    ),
    "batch_size": KeyText(
        "How many items of for_each are run at a time: the next ones start when all of these have ended.",
        (5,),
        "all of them",
    ),
    "max_parallel": _MAX_VARIANTS_AT_A_TIME,
    "fail_fast": _FAIL_FAST,
    "commands": KeyText(
        "What to run: all in one shell, in order, stopping at the first that fails. Without commands the image's own "
        "runs. ${{ }} reaches the shell as a quoted variable and never becomes code.",
        (["make build", "make test"],),
    ),
    "requires": KeyText(
        "Jobs that must have succeeded, or been skipped by their own condition. The long form names another "
        "condition: {job: build, condition: failure}.",
        (["build"], [{"job": "build", "condition": "failure"}]),
    ),
    "after": KeyText("Jobs that must have ended before, however they ended.", (["build"],)),
    "parallel_with": KeyText(
        "Jobs with which this one shares its starting point: it waits for what they wait for.", (["test"],)
    ),
    "if": KeyText(
        "Runs the job only if this is true; else it is skipped. Asked when its requirements are met. With success(), "
        "failure(), cancelled() or always() in it, the job waits for its requirements however they end.",
        ("${{ git.ref == 'refs/heads/main' }}", "params.deploy"),
    ),
    "unless": KeyText("Skips the job if this is true.", ("${{ params.dry_run }}",)),
    "on_complete": KeyText(
        "Without 'requires': runs the job when everything else is done, if the run stands so. With 'requires': how "
        "those must have ended. A list names jobs that this one starts when it has run, however it ended.",
        ("always", "failure", ["tidy"]),
        "success",
    ),
    "outputs": KeyText(
        "Names that the job promises to write to $ORCA_OUTPUT, or names with the expressions that compute them when "
        "the job has succeeded.",
        (["version"], {"url": "https://example.org/${{ jobs.build.outputs.version }}"}),
    ),
    "artifacts": KeyText(
        "Paths in the container that are kept when the job ends and restored at the same places in the jobs that "
        "require it. May hold ${{ }}.",
        (["/build/report.txt", "dist"],),
    ),
    "artifacts_from": KeyText(
        "Further jobs upstream whose artifacts are restored; those of 'requires' come by themselves.",
        (["build"],),
    ),
    "entrypoint": KeyText(
        "Replaces the image's entrypoint. With commands, the shell and its script are its arguments. May hold ${{ }}.",
        (["/bin/tool", "--check"],),
    ),
    "services": KeyText(
        "Containers that run beside the job: a list of images and of names of the workflow's services, or a mapping of "
        "names to services. The job starts when they are ready, and finds each under its name.",
        (
            ["postgres:15", "redis:7"],
            {"db": {"image": "postgres:15", "env": {"POSTGRES_PASSWORD": "secret"}}},
        ),
        "none",
    ),
    "network": KeyText(
        "What the job can reach: all that the engine's networks can, its services alone, or nothing.",
        ("internal", "none"),
        "default",
    ),
}

KEY_TEXTS: Final[Mapping[type[Shape], Mapping[str, KeyText]]] = {
    Spec: {
        "name": KeyText("The workflow's name: one line.", ("nightly-build",)),
        "description": KeyText("What the workflow is for, for people.", ("Build and test every night",)),
        "version": KeyText("The spec's own version, for people.", ("1.2",)),
        "labels": KeyText(
            "Free words by name, kept with every run. Without ${{ }}.", ({"team": "platform"},)
        ),
        "params": KeyText(
            "What a run can be given with --param name=value, and expressions read as params.name.",
            ({"version": {"required": True, "pattern": "^\\d+\\.\\d+$"}},),
        ),
        "env": KeyText(
            "Environment variables of all jobs. Values may hold ${{ }}, but not read single jobs; each may read those "
            "before it as env.NAME.",
            ({"REGISTRY": "registry.local"},),
        ),
        "workspace": KeyText(
            "A folder beside the spec that is shipped once and restored in every job, honouring .gitignore. Jobs "
            "start in it.",
            (".", "./app"),
            "nothing is shipped",
        ),
        "vars": KeyText(
            "Variables of the run with their first values, which 'publish' of jobs sets and expressions read as "
            "vars.name.",
            ({"url": None},),
        ),
        "defaults": KeyText(
            "What jobs get that do not say otherwise, where it fits their kind. 'env' and 'resources' are merged by "
            "name, everything else is taken as a whole.",
            ({"image": "alpine:latest", "timeout": "10m"},),
        ),
        "timeout": KeyText(
            "How long the whole run may take, jobs that run after everything else excepted.",
            ("1h",),
            "no limit",
        ),
        "max_parallel": KeyText("How many jobs may run at the same time.", (4,), "200"),
        "max_variants": KeyText("How many variants one job may have, at most 10000.", (1000,)),
        "cleanup_policy": KeyText(
            "When containers are removed: as soon as their try is over, only if it succeeded, or never.",
            ("keep_on_failure",),
        ),
        "services": KeyText(
            "Services that several jobs share, by name: a job that names one under its own 'services' uses it. They "
            "run from before the first of these jobs to after the last.",
            ({"db": {"image": "postgres:15", "env": {"POSTGRES_PASSWORD": "secret"}}},),
        ),
        "jobs": KeyText(
            "The jobs, by name. A job starts the moment its own requirements are met.",
            ({"hello": {"image": "alpine:latest", "commands": ["echo hello"]}},),
        ),
        "error_handlers": KeyText(
            "For a job those that its failure starts: the same as its own 'on_failure'.",
            ({"deploy": ["rollback"]},),
        ),
        "outputs": KeyText(
            "What the run leaves: expressions over all jobs, computed when it ends.",
            ({"image": "${{ jobs.build.outputs.image }}"},),
        ),
    },
    DefaultsShape: _DEFAULTS,
    JobShape: {**_DEFAULTS, **_JOB, **JOB_KIND_TEXTS},
    MatrixShape: {
        "include": _INCLUDE,
        "exclude": _EXCLUDE,
        "max_parallel": _MAX_VARIANTS_AT_A_TIME,
        "fail_fast": _FAIL_FAST,
    },
    ParamShape: {
        "type": KeyText(
            "What the value must be. On a command line all but text is read as JSON.", ("integer",)
        ),
        "required": KeyText("Whether a run that does not give it is refused."),
        "default": KeyText("The value of a run that does not give it.", ("main", 3), "null"),
        "enum": KeyText("The only values that are allowed.", (["nightly", "stable"],), "any"),
        "pattern": KeyText(
            "A regular expression that text must match somewhere; anchor it with ^ and $ to match the whole.",
            ("^v[0-9]+$",),
        ),
        "description": KeyText("What the param is for, for people.", ("Which version is released",)),
    },
    RequirementShape: {
        "job": KeyText("The job that must have ended.", ("build",)),
        "condition": KeyText(
            "How it must have ended: success (or skipped by its own condition), failure, skipped, or always.",
            ("failure",),
            "success",
        ),
    },
    RetryShape: {
        "max_attempts": KeyText("All tries, the first included.", (3,)),
        "delay": KeyText("The wait before the second try.", ("5s",), "1s"),
        "backoff": KeyText(
            "How the wait grows: not at all, by one delay each time, or by the multiplier each time.",
            ("exponential",),
        ),
        "multiplier": KeyText("By how much the wait grows with 'exponential'.", (1.5,)),
        "max_delay": KeyText("The longest wait.", ("5m",), "1h"),
        "on": KeyText(
            "Reasons that are worth another try, such as exit, oom, timeout, call; error stands for all but timeout.",
            (["exit", "timeout"],),
            "all",
        ),
        "exit_codes": KeyText("Exit codes that are worth another try.", ([75, 137],), "all"),
    },
    ResourcesShape: {
        "cpus": KeyText("Processors, as a number or as text.", (2, "0.5")),
        "memory": KeyText("Bytes, or a size such as 512m. Units are powers of 1024.", ("512m", "1g")),
        "pids": KeyText("How many processes there may be at a time.", (256,)),
    },
    **KIND_TEXTS,
    **SERVICE_TEXTS,
}
"""For each shape its keys, as a spec writes them."""
