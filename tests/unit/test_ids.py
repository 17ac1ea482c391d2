"""Names: the same for the same, different for different."""

from itertools import product

from orchestrator import ids

JOBS = ("a", "a-", "a--", "a_", "A", "a-b", "a_b", "x" * 100, "x" * 99 + "y")
VARIANTS = (None, "3.11", "3.11, alpine", "3.11,alpine", "(a)", "-", "")


def test_no_two_tries_share_a_container_or_a_folder() -> None:
    tries = list(product(("run-1", "run-2"), (1, 2), JOBS, VARIANTS[:-1], (1, 2)))
    assert len({ids.container_name(*one) for one in tries}) == len(tries)
    assert len({ids.try_prefix(*one) for one in tries}) == len(tries)


def test_names_are_readable_and_stable() -> None:
    assert (
        ids.container_name("ci-abcd2345", 1, "test", "3.11, alpine", 2)
        == "orca-ci-abcd2345-test-3.11-alpine-2-40637eb0"
    )
    assert ids.try_prefix("ci-abcd2345", 1, "build", None, 2) == "runs/ci-abcd2345/1/build-f143b23c/try-2/"
    assert ids.try_key("test", "3.11, alpine", 1) == "test (3.11, alpine)"
    assert ids.try_key("build", None, 2) == "build #2"
    assert ids.run_id("CI Pipeline!", "abcd2345") == "ci-pipeline-abcd2345"


def test_names_of_hosts() -> None:
    assert [ids.host_name(text) for text in ("test", "Build_App", "a__b-", "__", "é", f"{'x' * 62}_yy")] == [
        "test",
        "build-app",
        "a-b",
        "x",
        "x",
        "x" * 62,
    ]
