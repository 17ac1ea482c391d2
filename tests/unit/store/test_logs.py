import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import LocalStore

from orchestrator.errors import StoreError
from orchestrator.store.logs import BACKLOG_BYTES, MAX_LINE, LogLine, LogReader, LogWriter, timestamp_now
from orchestrator.store.store import Store, open_store

PREFIX = "runs/r/1/job/try-1/"


def line(number: int, text: str | None = None) -> LogLine:
    return LogLine(f"2026-01-01T00:00:00.{number:09d}Z", f"line {number}" if text is None else text)


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


async def read(store: Store) -> list[LogLine]:
    return await gathered(LogReader(store, PREFIX).lines())


async def gathered(lines: AsyncIterator[LogLine]) -> list[LogLine]:
    return [entry async for entry in lines]


async def test_lines_come_back_as_they_were(store: Store) -> None:
    lines = [line(1), line(2, ""), line(3, "  two  words \t"), line(4, "ü\x01\x00"), line(4, "same time")]
    writer = LogWriter(store, PREFIX)
    await writer.append(lines)
    await writer.finish()
    assert (await read(store), writer.position, writer.loss) == (lines, lines[-1].timestamp, None)
    assert await store.list_keys(f"{PREFIX}log/") == [f"{PREFIX}log/00000001", f"{PREFIX}log/end"]


async def test_lines_are_stored_by_themselves_soon_and_when_many(store: Store) -> None:
    writer = LogWriter(store, PREFIX)
    await writer.append([line(1)])
    assert (await read(store), writer.position) == ([], "")
    await asyncio.sleep(0.6)
    assert (await read(store), writer.position) == ([line(1)], line(1).timestamp)
    many = [line(number, "x" * 1000) for number in range(2, 400)]
    await writer.append(many)
    assert await read(store) == [line(1), *many]
    await writer.detach()


async def test_a_line_that_is_too_long_becomes_several(store: Store) -> None:
    writer = LogWriter(store, PREFIX)
    await writer.append([line(1, "x" * (MAX_LINE + 5))])
    await writer.finish()
    assert await read(store) == [line(1, "x" * MAX_LINE), line(1, "x" * 5)]


@pytest.mark.parametrize("stored", [0, 1, 3, 5])
async def test_replay_goes_on_where_the_last_writer_stopped(store: Store, stored: int) -> None:
    # Times that repeat and go backwards, as two streams of a container give them.
    whole = [line(5, "a"), line(4, "b"), line(4, "b"), line(6, "c"), line(6, "d"), line(7, "e")]
    first = LogWriter(store, PREFIX)
    await first.append(whole[:stored])
    await first.detach()
    second = await LogWriter.attach(store, PREFIX, replay=True)
    await second.append(whole[:2])
    await second.append(whole[2:])
    await second.append([line(1, "a clock that was set back")])
    await second.finish()
    assert await read(store) == [*whole, line(1, "a clock that was set back")]


@pytest.mark.parametrize("stored", [0, 1, 3, 5])
async def test_what_was_put_between_the_lines_is_no_part_of_a_replay(store: Store, stored: int) -> None:
    whole = [line(number, "text") for number in range(5)]
    first = LogWriter(store, PREFIX)
    await first.append(whole[:stored])
    first.note(["orca: service 'db' ended", "orca: service 'db' | bye"])
    await first.detach()
    again = await LogWriter.attach(store, PREFIX, replay=True)
    assert again.notes == ["orca: service 'db' ended", "orca: service 'db' | bye"]
    await again.append(whole)
    await again.finish()
    found = [line async for line in LogReader(store, PREFIX).lines()]
    assert [line for line in found if not line.text.startswith("orca: ")] == whole
    assert [line.text for line in found[stored : stored + 2]] == again.notes


async def test_replay_of_a_log_whose_beginning_the_engine_dropped(store: Store) -> None:
    first = LogWriter(store, PREFIX)
    await first.append([line(number) for number in range(1, 6)])
    await first.detach()
    second = await LogWriter.attach(store, PREFIX, replay=True)
    await second.append([line(number) for number in range(4, 9)])
    await second.finish()
    assert await read(store) == [line(number) for number in range(1, 9)]


async def test_attaching_without_replay_only_appends(store: Store) -> None:
    first = LogWriter(store, PREFIX)
    await first.append([line(1)])
    await first.detach()
    second = await LogWriter.attach(store, PREFIX, replay=False)
    assert second.position == line(1).timestamp
    await second.append([line(1)])
    await second.finish()
    assert await read(store) == [line(1), line(1)]


async def test_following_sees_lines_as_they_come_and_ends_with_the_log(store: Store) -> None:
    writer = LogWriter(store, PREFIX)
    following = asyncio.create_task(gathered(LogReader(store, PREFIX).follow()))
    await writer.append([line(1)])
    await writer.flush()
    await asyncio.sleep(0.3)
    await writer.append([line(2)])
    assert following.done() is False
    await writer.finish()
    assert await asyncio.wait_for(following, 5) == [line(1), line(2)]


async def test_following_ends_when_told_to_and_misses_nothing(store: Store) -> None:
    writer = LogWriter(store, PREFIX)
    await writer.append([line(1)])
    await writer.detach()
    lines = LogReader(store, PREFIX).follow(stopped=lambda: True)
    assert await asyncio.wait_for(gathered(lines), 5) == [line(1)]


async def test_a_store_that_fails_for_a_while_costs_no_line(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = open_store(str(root))
    (root / "runs").write_text("in the way")
    writer = LogWriter(store, PREFIX)
    await writer.append([line(1)])
    await writer.flush()
    assert writer.position == ""
    (root / "runs").unlink()
    await writer.append([line(2)])
    await writer.finish()
    assert (await read(store), writer.loss) == ([line(1), line(2)], None)


async def test_a_store_that_stays_broken_is_told_as_loss_and_takes_no_memory(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = open_store(str(root))
    (root / "runs").write_text("in the way")
    writer = LogWriter(store, PREFIX)
    count = 0
    for _ in range(3 * BACKLOG_BYTES // 300_000):
        await writer.append([line(1, "x" * 1000)] * 300)
        count += 300
    await writer.finish()
    assert writer.loss is not None
    assert writer.loss.startswith(f"{count} log lines were lost: cannot write '{PREFIX}log/")


@pytest.mark.parametrize("behind", [0, 1, 2])
async def test_a_writer_that_wakes_up_beside_its_successor(store: Store, behind: int) -> None:
    """Both write the same lines in the same order; whatever each has stored, every line is there once."""
    whole = [line(number) for number in range(8)]
    frozen = LogWriter(store, PREFIX)
    await frozen.append(whole[:3])
    await frozen.flush()
    await frozen.append(whole[3:5])  # Read, and not stored yet.
    successor = await LogWriter.attach(store, PREFIX, replay=True)
    await successor.append(whole[: 5 + behind - 1])
    successor.note(["orca: service 'db' ended"])
    await successor.flush()
    await frozen.flush()
    await frozen.append(whole[5:7])
    await frozen.flush()
    await successor.append(whole[5 + behind - 1 :])
    await successor.finish()
    await frozen.append(whole[7:])
    await frozen.detach()
    assert [found for found in await read(store) if not found.text.startswith("orca: ")] == whole
    assert (frozen.loss, successor.loss) == (None, None)


async def test_a_log_that_cannot_be_read_again_is_written_from_its_beginning(store: Store) -> None:
    whole = [line(number) for number in range(6)]
    first = LogWriter(store, PREFIX)
    for each in whole[:4]:
        await first.append([each])
        await first.flush()
    again = LogWriter(store, PREFIX)
    await again.append(whole)
    await again.finish()
    assert await read(store) == whole


async def test_a_store_that_holds_the_reader_up_costs_no_line(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = open_store(str(root))
    (root / "runs").write_text("in the way")
    writer = LogWriter(store, PREFIX)
    writer.holds = True
    lines = [line(number, "x" * 1000) for number in range(2 * BACKLOG_BYTES // 1000)]
    appending = asyncio.create_task(writer.append(lines))
    await asyncio.wait({appending}, timeout=1.5)
    assert not appending.done()
    (root / "runs").unlink()
    await appending
    await writer.finish()
    assert (await read(store) == lines, writer.loss) == (True, None)


class FailsOnce(Store):
    """Whose network fails at the first write, and never again."""

    failed = False

    async def put_new(self, key: str, data: bytes) -> bool:
        if not self.failed:
            self.failed = True
            raise StoreError("the network was away")
        return await super().put_new(key, data)


async def test_a_failure_that_passes_lets_no_writer_write_over_another(store: Store) -> None:
    whole = [line(number) for number in range(10)]
    first = LogWriter(store, PREFIX)
    await first.append(whole[:8])
    await first.flush()
    second = LogWriter(FailsOnce(LocalStore(store.url), store.url), PREFIX)
    await second.append(whole[:3])
    await second.flush()
    assert second.position == ""
    await second.flush()
    await first.append(whole[8:])
    await first.finish()
    await second.append(whole[3:])
    await second.finish()
    assert (await read(store), first.loss, second.loss) == (whole, None, None)


OWN = [
    line(number, text)
    for number, text in enumerate(
        ["orca: service 'db' says", "a", "orca: service 'db' says", "b", "orca: c", "d", "e"]
    )
]


@pytest.mark.parametrize("stored", range(8))
async def test_a_container_may_say_what_is_put_between_its_lines(store: Store, stored: int) -> None:
    first = LogWriter(store, PREFIX)
    await first.append(OWN[:stored])
    first.note(["orca: service 'db' says"])
    await first.detach()
    again = await LogWriter.attach(store, PREFIX, replay=True)
    await again.append(OWN)
    await again.finish()
    found = await read(store)
    assert found.pop(stored).text == "orca: service 'db' says"
    assert found == OWN


@pytest.mark.parametrize("first", range(8))
@pytest.mark.parametrize("second", range(8))
async def test_two_writers_of_a_container_that_says_what_we_do(store: Store, first: int, second: int) -> None:
    one, other = LogWriter(store, PREFIX), LogWriter(store, PREFIX)
    await one.append(OWN[:first])
    one.note(["orca: service 'db' ended"])
    await one.flush()
    await other.append(OWN[:second])
    other.note(["orca: service 'db' ended"])
    await other.flush()
    await one.append(OWN[first:])
    await one.flush()
    await other.append(OWN[second:])
    await other.finish()
    texts = [found.text for found in await read(store)]
    assert [text for text in texts if text != "orca: service 'db' ended"] == [own.text for own in OWN]
    assert texts.count("orca: service 'db' ended") >= 1


def test_timestamps_are_like_dockers() -> None:
    assert len(timestamp_now()) == len(line(1).timestamp)
