"""What Mermaid, its Markdown and HTML would take for their own is written as entities."""

import pytest

from orchestrator.plan.graph import graph_of, mermaid
from orchestrator.plan.graph.mermaid import escaped, too_large
from tests.support.plans import job, plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python:3.11-slim", "python:3.11-slim"),
        ('a "b" <c> & #1; `d`', "a #34;b#34; #60;c#62; #38; #35;1#59; #96;d#96;"),
        ("1. one", "1#46; one"),
        ("- one", "#45; one"),
        ("-x 1.5", "-x 1.5"),
        ("%%{init: {}}%%", "#37;#37;{init: {}}#37;#37;"),
        ("a\\nb", "a#92;nb"),
        ("ünï 日本語", "ünï 日本語"),
        ("${{ a }} $$x$$", "${{ a }} #36;$x#36;$"),
        ("x style:y", "x style#58;y"),
    ],
)
def test_escaping(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_lines_are_escaped_as_one() -> None:
    assert escaped("style", 'a: "') == "style<br/>a#58; #34;"


def test_what_mermaid_refuses_is_known() -> None:
    few = graph_of(plan(job("a"), job("b", "a")))
    assert not too_large(few, mermaid(few))
    names = [f"j{number}" for number in range(600)]
    many = graph_of(plan(*(job(name) for name in names), job("end", *names)))
    assert too_large(many, mermaid(many))
