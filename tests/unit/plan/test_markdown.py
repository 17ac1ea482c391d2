"""A plan beside its run in the Web UI."""

from orchestrator.plan.markdown import plan_markdown
from orchestrator.plan.model import Strategy, Variant
from tests.support.plans import job, plan


def test_levels_and_the_critical_path_with_variants() -> None:
    jobs = [
        job("build"),
        job("test", "build", variants=(Variant(name="a"), Variant(name="b"))),
        job("each", "build", strategy=Strategy(items="${{ params.x }}")),
    ]
    of = plan(
        *jobs,
        description="What it does",
        levels=(("build",), ("test", "each")),
        critical_path=("build", "test"),
    )
    assert plan_markdown(of).splitlines() == [
        "What it does",
        "",
        "1. `build`",
        "2. `test` (2 variants), `each` (variants when it starts)",
        "",
        "Critical path: `build` → `test`",
    ]


def test_a_wide_level_is_told_in_part() -> None:
    jobs = [job(f"j{number}") for number in range(1000)]
    text = plan_markdown(plan(*jobs))
    assert "`j49` and 950 more" in text
    assert len(text) < 20_000
