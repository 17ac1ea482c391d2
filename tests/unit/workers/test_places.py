"""How many jobs with services a host runs at a time."""

import asyncio

from workers.activities.places import Places


async def took(
    places: Places, key: str, begun: list[str], done: asyncio.Event, *, keep: bool = False
) -> None:
    async with places.place(key, lambda: begun.append(f"{key} waits"), keep=keep):
        begun.append(key)
        await done.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_more_than_fit_waits_and_one_who_has_a_place_does_not() -> None:
    places, begun, done = Places(2), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(took(places, key, begun, done)) for key in ("a", "b", "c", "a")]
    await settle()
    assert begun == ["a", "b", "c waits", "a"]
    done.set()
    await asyncio.gather(*tasks)
    assert begun[-1] == "c"


async def test_a_place_that_is_kept_goes_to_the_next_of_its_name_and_is_free_after_it() -> None:
    places, begun, done = Places(1), list[str](), asyncio.Event()
    done.set()
    await took(places, "a", begun, done, keep=True)
    waiting = asyncio.create_task(took(places, "b", begun, done))
    await settle()
    assert begun == ["a", "b waits"]
    await took(places, "a", begun, done)
    await waiting
    assert begun == ["a", "b waits", "a", "b"]


async def test_a_place_that_nobody_needs_is_given_up() -> None:
    places, begun, done = Places(1), list[str](), asyncio.Event()
    done.set()
    await took(places, "a", begun, done, keep=True)
    waiting = asyncio.create_task(took(places, "b", begun, done))
    await settle()
    places.give_up("a")
    places.give_up("nobody")
    await waiting
    assert begun == ["a", "b waits", "b"]


async def test_one_that_is_cancelled_takes_no_place_with_it() -> None:
    places, begun, done = Places(1), list[str](), asyncio.Event()
    holder = asyncio.create_task(took(places, "a", begun, done, keep=True))
    waiting = asyncio.create_task(took(places, "b", begun, done))
    await settle()
    for task in (waiting, holder):
        task.cancel()
    await asyncio.gather(holder, waiting, return_exceptions=True)
    done.set()
    await took(places, "c", begun, done)
    assert begun == ["a", "b waits", "c"]
