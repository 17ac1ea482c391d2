"""What an image is now, and what a try's container was made of although its name has moved since."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.contract.images import ImageAsked, ImageFound
from tests.support.memory_engine import MemoryEngine, Running
from tests.support.tries import Bench, bench_around, request
from workers.engine.interface import ImageFacts
from workers.supervision.images import Images
from workers.supervision.threads import Threads

DIGEST = "sha256:" + "d" * 64


class Published(MemoryEngine):
    """Has a registry that knows one image."""

    def registry_digest(self, image: str) -> str:
        return DIGEST if image == "published:1" else super().registry_digest(image)


def nap(box: Running) -> int:
    box.out("begun")
    box.sleep(60, until_stopped=True)
    return 0


@pytest.fixture(name="shelf")
def shelf_fixture() -> dict[str, ImageFacts]:
    here = ImageFacts("sha256:" + "a" * 64, digests=(DIGEST,))
    return {"alpine:latest": here, "published:1": ImageFacts("sha256:" + "b" * 64)}


@pytest.fixture(name="bench")
async def bench_fixture(shelf: dict[str, ImageFacts], tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_around(MemoryEngine(shelf, {"nap": nap}), tmp_path) as bench:
        yield bench


async def test_what_a_container_would_be_made_of(shelf: dict[str, ImageFacts]) -> None:
    published, other = ImageAsked(image="published:1"), ImageAsked(image="other:1")
    with ThreadPoolExecutor(1) as pool:
        images = Images(Published(shelf), Threads(pool), fresh_for=60.0)
        here = await images.look(ImageAsked(image="alpine:latest", pull="never"))
        assert here.marks == ("a" * 16, "d" * 16)
        # What is here does not matter where it would be pulled anyway; where nothing is here, it would be too.
        always = published.model_copy(update={"pull": "always"})
        assert (await images.look(published)).marks == ("b" * 16,)
        assert await images.look(always) == ImageFound(asked=always, marks=("d" * 16,))
        del shelf["published:1"]
        assert await images.look(published) == ImageFound(asked=published, marks=("d" * 16,))
        never = published.model_copy(update={"pull": "never"})
        assert await images.look(never) == ImageFound(
            asked=never, unknown="it is not on the host and may not be pulled"
        )
        assert (await images.look(other)).unknown.endswith("there is no registry")


async def test_a_container_that_is_taken_up_tells_its_own_image(
    bench: Bench, shelf: dict[str, ImageFacts]
) -> None:
    wanted = request("taken-up", entrypoint=("nap",))
    bench.cause = "detach"
    task = bench.begin(wanted)
    await bench.until_logged(wanted, "begun")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    shelf["old"] = shelf["alpine:latest"]
    shelf["alpine:latest"] = ImageFacts("sha256:" + "c" * 64)
    container = await bench.container(wanted)
    assert container is not None
    await asyncio.to_thread(bench.engine.stop, container.id, grace=5)
    outcome = await bench.run(wanted)
    assert outcome.images == {"alpine:latest": ("a" * 16, "d" * 16)}
