"""How long something waits before it goes, and what is remembered of it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workers.reaping import ledger
from workers.reaping.decide import Verdict
from workers.reaping.ledger import DOUBTFUL, Finding
from workers.reaping.things import Thing

GONE, STOPPED = Verdict("remove", "its run has ended"), Verdict("stop", "its run has ended")
DOUBTED = Verdict("remove", "nobody knows its run", doubtful=True)
LIVE = Verdict("live", "its run goes on")


def thing(name: str = "a") -> Thing:
    return Thing("container", name, name, {})


def wait(verdict: Verdict, since: float | None, *, now: float = 1000.0, grace: float = 60.0) -> float | None:
    seen = {} if since is None else {"a": since}
    (found,) = ledger.findings([(thing(), verdict)], seen, now=now, grace=grace)
    return found.wait


def test_the_grace_begins_when_it_was_first_seen_to_be_of_no_use() -> None:
    assert wait(GONE, None) == 60
    assert wait(GONE, 990) == 50
    assert wait(GONE, 940) == 0
    assert wait(STOPPED, 0) == 0
    assert wait(GONE, None, grace=0) == 0


def test_what_the_server_does_not_know_waits_longer() -> None:
    assert wait(DOUBTED, 1000 - 60) == 60 * (DOUBTFUL - 1)
    assert wait(DOUBTED, 1000 - 60 * DOUBTFUL) == 0


def test_what_is_of_use_waits_for_nothing_and_begins_anew() -> None:
    assert wait(LIVE, 0) is None
    found = [Finding(thing("a"), LIVE), Finding(thing("b"), GONE, wait=5), Finding(thing("c"), GONE, wait=60)]
    assert ledger.remembered(found, {"a": 1.0, "b": 2.0, "gone": 3.0}, now=9) == {"b": 2.0, "c": 9, "": 9}


def test_a_clock_that_was_set_back_costs_one_grace_at_most() -> None:
    assert wait(GONE, 5000) == 60
    assert ledger.remembered([Finding(thing(), GONE, wait=60)], {"a": 5000}, now=1000) == {
        "a": 1000,
        "": 1000,
    }


def test_only_what_was_looked_at_counts() -> None:
    kept = ledger.remembered([Finding(thing(), GONE, wait=60)], {}, now=1000)
    usual = ledger.counted(kept, now=1010, most=20)
    assert usual == {"a": 1000}
    # An hour that a clock was set forward by, or that the host slept.
    seen = ledger.counted(kept, now=1000 + 3600, most=20)
    assert wait(GONE, seen["a"], now=1000 + 3600) == 40
    assert wait(DOUBTED, seen["a"], now=1000 + 3600) == 60 * DOUBTFUL - 20
    assert ledger.remembered([], seen, now=5000) == ledger.counted({}, now=5000, most=20) == {}


def test_what_an_older_version_kept_begins_anew() -> None:
    assert ledger.counted({"a": 900, "b": 1000}, now=5000, most=20) == {"a": 4880, "b": 4980}


@given(
    since=st.none() | st.floats(0, 1e10), now=st.floats(0, 1e10), grace=st.floats(0, 1e6), doubt=st.booleans()
)
def test_nothing_waits_longer_than_its_grace(
    since: float | None, now: float, grace: float, doubt: bool
) -> None:
    found = wait(DOUBTED if doubt else GONE, since, now=now, grace=grace)
    assert found is not None
    limit = grace * DOUBTFUL if doubt else grace
    # In numbers of this size the last digits are lost.
    assert 0 <= found <= limit + 1e-5


def test_it_outlives_a_worker_and_a_file_that_makes_no_sense_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "reaper-1.json"
    assert ledger.read(file) == {}
    ledger.write(file, {"a": 1.5})
    assert ledger.read(file) == {"a": 1.5}
    assert [path.name for path in tmp_path.iterdir()] == ["reaper-1.json"]
    for nonsense in ("", "[1]", "{", '{"a": "b"}', '{"a": true}'):
        file.write_text(nonsense)
        assert ledger.read(file) == {}, nonsense
