"""What an editor tells of the keys of gates, waits, choices, calls and nested workflows, and of transitions."""

from collections.abc import Mapping
from typing import Final

from orchestrator.spec.key_text import KeyText
from orchestrator.spec.kinds import BranchShape, GateFieldShape, GateShape, ReminderShape, WaitShape
from orchestrator.spec.values import Shape

JOB_KIND_TEXTS: Final[Mapping[str, KeyText]] = {
    "call": KeyText(
        "Calls a function on a worker that allows its module, with the inputs in 'with'. 'http' is built in.",
        ("travel.tools:book", "http"),
    ),
    "with": KeyText(
        "The inputs of 'call', or the params of 'workflow'. Texts may hold ${{ }}; a text that is one whole ${{ }} "
        "keeps its type.",
        ({"city": "${{ params.city }}", "nights": 2},),
    ),
    "gate": KeyText(
        "Waits for people. A text is short for {prompt: text}. The answers are the job's outputs.",
        ("Go live?", {"prompt": "Go live?", "approvers": ["group:release"], "timeout": "24h"}),
    ),
    "wait": KeyText(
        "Waits so long, or until an instant, at no cost. May hold ${{ }}.",
        ("5m", 90, {"until": "2026-01-31T08:00:00Z"}),
    ),
    "choice": KeyText(
        "Starts the jobs of the first branch whose 'when' is true, else those of 'default'. The jobs of the others are "
        "skipped.",
        ([{"when": "${{ params.env == 'production' }}", "then": ["confirm"]}, {"default": ["deploy"]}],),
    ),
    "workflow": KeyText(
        "Runs another spec as a run of its own, with the params in 'with'. Its outputs are the job's.",
        ("./provision.yaml",),
    ),
    "on_success": KeyText("Jobs that this one starts when it has succeeded.", (["announce"],)),
    "on_failure": KeyText("Jobs that this one starts when it has failed.", (["rollback"],)),
    "publish": KeyText(
        "Variables of the run that the job sets when it has succeeded, with the expressions that give them.",
        ({"url": "${{ jobs.deploy.outputs.url }}"},),
    ),
}
"""Keys of a job."""

KIND_TEXTS: Final[Mapping[type[Shape], Mapping[str, KeyText]]] = {
    GateShape: {
        "prompt": KeyText("What people are asked. May hold ${{ }}.", ("Deploy ${{ params.version }}?",)),
        "fields": KeyText(
            "What they fill in, by name: a type, or a mapping. The answers become outputs of the job.",
            ({"reason": "string", "region": {"type": "select", "options": ["eu", "us"], "required": True}},),
            "none",
        ),
        "approvers": KeyText(
            "Who may answer: 'user:ann', 'group:release', or a user's name alone. Or an expression that gives them.",
            (["user:ann", "group:release"],),
            "anyone",
        ),
        "min_approvals": KeyText(
            "How many different people have to approve. One who rejects closes the gate.", (2,)
        ),
        "self_approval": KeyText("Whether who submitted the run may approve.", (False,)),
        "timeout": KeyText("How long the gate stays open.", ("24h",), "for ever"),
        "on_timeout": KeyText(
            "What it means when nobody has answered by then: 'approve' takes the defaults of all fields.",
            ("reject",),
            "fail",
        ),
        "reminder": KeyText(
            "A job that is run again and again while the gate is open.", ({"every": "4h", "job": "ping"},)
        ),
    },
    GateFieldShape: {
        "type": KeyText(
            "What the answer is. 'multi-select' is another spelling of 'multi_select'.", ("select",)
        ),
        "label": KeyText("What people are shown. May hold ${{ }}.", ("Which region?",), "the field's name"),
        "description": KeyText("More about it, for people. May hold ${{ }}.", ("Where the first users are",)),
        "required": KeyText("Whether who approves must fill it in.", (True,)),
        "default": KeyText("The answer of those who leave it out. May hold ${{ }}.", ("eu",), "none"),
        "pattern": KeyText("A regular expression that the whole text must match.", ("[A-Z]+-[0-9]+",)),
        "options": KeyText(
            "What can be chosen: a list, or one expression that gives it.",
            (["eu", "us"], "${{ jobs.find.outputs.names }}"),
        ),
    },
    ReminderShape: {
        "every": KeyText("How long to wait before the first reminder, and between two.", ("4h",)),
        "job": KeyText("The job that is run. It runs for nothing else.", ("ping",)),
    },
    WaitShape: {
        "for": KeyText("How long to wait. May hold ${{ }}.", ("5m", "${{ params.delay }}")),
        "until": KeyText(
            "The instant to wait for, with its time zone, or seconds since 1970. May hold ${{ }}.",
            ("2026-01-31T08:00:00Z", "${{ jobs.plan.outputs.start }}"),
        ),
    },
    BranchShape: {
        "when": KeyText(
            "The branch is taken if this is true and no branch before it was.", ("${{ params.deploy }}",)
        ),
        "then": KeyText("The jobs that are started.", (["deploy"],)),
        "default": KeyText(
            "The jobs that are started where no branch was taken. Only the last entry has it.", (["stop"],)
        ),
    },
}
"""For each shape its keys, as a spec writes them."""
