"""People's answers: `gates`, `approve`, `reject`."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import output
from orchestrator.cli.options import (
    AddressOption,
    ByOption,
    CommentOption,
    NamespaceOption,
    Output,
    OutputOption,
    RunArgument,
    read_values,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.client.gates import OpenGate
    from orchestrator.contract.people import Answer, AnswerReply, FieldRecord

GateArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="GATE",
        help="The gate's job; of a variant its full name: 'confirm (eu)'. Needed where several wait.",
        show_default=False,
    ),
]
GroupOption = Annotated[
    list[str] | None, typer.Option("--group", help="A group that you answer for. May be repeated.")
]


def gates(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Only this run's; else all open runs'.", show_default=False),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="Look at so many open runs, the newest.")
    ] = 200,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """List the gates that wait: what they ask whom, since and until when, and how to answer."""
    from orchestrator.cli.notable import gate_lines
    from orchestrator.cli.target import connected
    from orchestrator.client import gates as waiting
    from orchestrator.client.people import live_record

    async def look() -> waiting.Waiting:
        client = await connected(address, namespace=namespace)
        if run is None:
            return await waiting.all_gates(client, limit=limit)
        found = await live_record(client, run, doing="answer its gates")
        return waiting.Waiting(tuple(await waiting.gates_of_run(client, found)))

    found = asyncio.run(look())
    for sentence in found.silent:
        output.note(f"warning: {sentence}")
    if found.more:
        output.note(f"note: only the newest {limit} open runs were asked; --limit asks more")
    if out is Output.JSON:
        output.data_json([_gate_json(one) for one in found.gates])
        return
    if not found.gates:
        output.note("no gate waits for an answer")
    for one in found.gates:
        if run is None:
            output.data(f"run {one.run_id} ({one.spec})")
        for line in gate_lines(one):
            output.data(line)


def _gate_json(one: "OpenGate") -> dict[str, Any]:
    return {"run_id": one.run_id, "spec": one.spec, "name": one.name, **one.gate.model_dump(mode="json")}


def approve(
    run: RunArgument,
    gate: GateArgument = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            "-f",
            help="An answer in the gate's form, as name=value. May be repeated; a list has commas.",
        ),
    ] = None,
    fields_json: Annotated[
        Path | None,
        typer.Option("--fields-json", metavar="FILE", help="Answers as a JSON object; '-' reads stdin."),
    ] = None,
    comment: CommentOption = "",
    by: ByOption = None,
    group: GroupOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Approve a gate; on a terminal, asks for the fields that are needed and not given."""
    from orchestrator.cli.target import connected
    from orchestrator.client import gates as waiting
    from orchestrator.client import people
    from orchestrator.contract.people import Answer

    values = read_values(fields_json)

    async def act() -> "tuple[Answer, AnswerReply]":
        client = await connected(address, namespace=namespace)
        found = await people.live_record(client, run, doing="answer its gates")
        named = waiting.gate_named(found, gate)
        one = (await waiting.whole(client, [named]))[0] if named else None
        given = values | waiting.read_fields(one.gate.fields if one else (), field or [])
        left = waiting.left_to_ask(one.gate, given) if one else []
        if one and left and sys.stdin.isatty() and sys.stderr.isatty():
            # In a thread, so that the connection lives on while somebody thinks.
            given |= await asyncio.to_thread(_ask, one, left)
        answer = Answer(
            gate=one.name if one else gate or "",
            fields=given,
            comment=comment,
            by=by or people.whoami(),
            groups=tuple(group or ()),
        )
        return answer, await people.answer(client, run, answer)

    _tell(*asyncio.run(act()), run=run, out=out)


def _ask(one: "OpenGate", left: "list[FieldRecord]") -> dict[str, Any]:
    """Ask a person for fields, again where an answer does not fit; an empty one leaves a field out."""
    from orchestrator.cli.notable import field_words
    from orchestrator.client.gates import option_text, read_field

    output.note(" ".join(one.gate.prompt.split()))
    given: dict[str, Any] = {}
    for field in left:
        output.note(field_words(field))
        needed = field.required and not field.has_default
        while True:
            text = _typed(field.name)
            if not text and not needed:
                break
            try:
                value = read_field(field, text)
            except UsageError as error:
                output.note(str(error))
                continue
            chosen: list[Any] = value if field.type == "multi_select" else [value]
            if field.options and any(choice not in field.options for choice in chosen):
                output.note(f"it must be of {', '.join(option_text(option) for option in field.options)}")
            elif value in ("", []) and needed:
                output.note("an answer is needed")
            else:
                given[field.name] = value
                break
    return given


def _typed(name: str) -> str:
    """A line from the terminal. Asked for on stderr: stdout is for what comes out in the end."""
    sys.stderr.write(f"{output.harmless(name)}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise UsageError("the answer was left out: nothing was said to the run")
    return line.rstrip("\r\n")


def reject(
    run: RunArgument,
    gate: GateArgument = None,
    comment: CommentOption = "",
    by: ByOption = None,
    group: GroupOption = None,
    out: OutputOption = Output.TEXT,
    address: AddressOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Reject a gate: its job fails, and what is for that case runs."""
    from orchestrator.cli.target import connected
    from orchestrator.client import gates as waiting
    from orchestrator.client import people
    from orchestrator.contract.people import Answer

    async def act() -> "tuple[Answer, AnswerReply]":
        client = await connected(address, namespace=namespace)
        found = await people.live_record(client, run, doing="answer its gates")
        one = waiting.gate_named(found, gate)
        answer = Answer(
            gate=one.name if one else gate or "",
            decision="reject",
            comment=comment,
            by=by or people.whoami(),
            groups=tuple(group or ()),
        )
        return answer, await people.answer(client, run, answer)

    _tell(*asyncio.run(act()), run=run, out=out)


def _tell(answer: "Answer", reply: "AnswerReply", *, run: str, out: Output) -> None:
    if out is Output.JSON:
        output.data_json({"run_id": run, "by": answer.by, **reply.model_dump(mode="json")})
    else:
        output.data(reply.message)
