"""Whether the images of jobs that may be taken over are still those that they ran with, and what is said where not."""

from typing import Any

from orchestrator.client.images import Answers, Leaf, compared, leaves_of, unknown
from orchestrator.contract.images import ImageAsked, ImageFound, mark_of, marks_of
from orchestrator.contract.messages import Earlier, Reuse
from orchestrator.interpreter.images import merged
from orchestrator.plan.model import Plan
from orchestrator.plan.service_model import Service
from tests.support.kinds import call, nested
from tests.support.plans import job, matrix, plan

ID, DIGEST = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32


def left(status: str = "success", **fields: Any) -> Earlier:
    return Earlier.model_validate({"status": status, "attempt": 1, "host": "h1", **fields})


def leaves(reuse: Reuse, shape: Plan, *taken: str) -> list[Leaf]:
    return list(leaves_of(reuse, shape, taken=taken, root=shape))


def answers(*found: tuple[str, ImageAsked, tuple[str, ...]]) -> Answers:
    return Answers({(host, asked): ImageFound(asked=asked, marks=marks) for host, asked, marks in found})


def test_marks_are_short_each_once_and_few() -> None:
    assert mark_of(ID) == "ab" * 8
    assert marks_of(ID, (DIGEST, ID)) == ("ab" * 8, "cd" * 8)
    assert marks_of("") == ()
    assert len(marks_of(ID, [f"sha256:{number:064}"[:39] + f"{number:032}" for number in range(9)])) <= 4
    assert merged([{"a": ("1",)}, {"a": ("1", "2"), "b": ("3",)}]) == {"a": ("1", "2"), "b": ("3",)}


def test_what_is_asked_is_how_the_job_itself_would_get_the_image() -> None:
    shape = plan(
        job("a", image="one", pull="always", services=(Service(name="db", image="two", pull="never"),)),
        job("b", image="${{ params.image }}", shared_services=("mq",)),
        services=(Service(name="mq", image="three"),),
    )
    reuse = Reuse(
        attempt=1,
        jobs={
            "a": left(images={"one": ("m",), "two": ("n",)}),
            "b": left(images={"three": ("m",), "four": ("m",)}, host=""),
        },
    )
    assert [place for leaf in leaves(reuse, shape, "a", "b") for place in leaf.asked()] == [
        ("h1", ImageAsked(image="one", pull="always")),
        ("h1", ImageAsked(image="two", pull="never")),
        ("", ImageAsked(image="three", pull="missing")),
        ("", ImageAsked(image="four", pull="missing")),
    ]
    assert [leaf.name for leaf in leaves(reuse, shape, "b")] == ["b"]


def test_another_image_is_told_of_each_variant_by_the_host_that_ran_it() -> None:
    shape = plan(matrix("m", {"n": [1, 2, 3]}))
    images = {"alpine:latest": ("id1", "dig1")}
    variants = {
        "m (1)": left(images=images),
        "m (2)": left(images=images, host="h2"),
        "m (3)": left(images=images, host="h3"),
    }
    reuse = Reuse(attempt=1, jobs={"m": left(variants=variants)})
    found = leaves(reuse, shape, "m (1)", "m (2)", "m (3)")
    asked = ImageAsked(image="alpine:latest")
    # On the second host it has another id, and is the same in the registry; of the third nobody knows.
    said = answers(("h1", asked, ("id2", "dig2")), ("h2", asked, ("id9", "dig1")), ("h3", asked, ()))
    now = compared(reuse, found, said)
    assert {key: one.replaced for key, one in now.jobs["m"].variants.items()} == {
        "m (1)": ("alpine:latest",),
        "m (2)": (),
        "m (3)": (),
    }
    assert compared(reuse, found, Answers()) is reuse


def test_inside_a_nested_run_that_goes_on_every_success_counts() -> None:
    inner = plan(job("x", pull="always"), job("y", "x"))
    shape = plan(
        nested("good", "p"),
        nested("bad", "p"),
        call("f", "json.loads"),
        workflows={"p": inner},
    )
    images = {"alpine:latest": ("id1",)}
    below = Reuse(attempt=1, jobs={"x": left(images=images), "y": left("failed")})
    reuse = Reuse(
        attempt=1,
        jobs={
            "good": left(images=images, host=""),
            "bad": left("failed", nested=below, host=""),
            "f": left(),
        },
    )
    found = leaves(reuse, shape, "good", "f")
    assert [leaf.name for leaf in found] == ["good", "x"]
    asked = ImageAsked(image="alpine:latest", pull="always")
    assert [place for leaf in found for place in leaf.asked()] == [("", asked), ("h1", asked)]
    now = compared(reuse, found, answers(("h1", asked, ("id2",)), ("", asked, ("id1",))))
    assert now.jobs["good"].replaced == ()
    bad = now.jobs["bad"].nested
    assert bad is not None
    assert bad.jobs["x"].replaced == ("alpine:latest",)
    # One that would be taken over whole, and runs for its image, goes on by the same rules.
    good = Reuse(attempt=1, jobs={"good": left(images=images, host="", nested=below)})
    found = leaves(good, shape, "good")
    now = compared(good, found, answers(("h1", asked, ("id2",)), ("", asked, ("id2",)))).jobs["good"]
    assert (now.replaced, now.nested and now.nested.jobs["x"].replaced) == (
        ("alpine:latest",),
        ("alpine:latest",),
    )


def test_what_could_not_be_compared_is_said_once_and_why() -> None:
    shape = plan(
        *(job(name) for name in "abcde"), nested("n", "p"), workflows={"p": plan(call("f", "json.loads"))}
    )
    images = {"alpine:latest": ("id1",)}
    kept = Reuse(attempt=1, jobs={name: left(images=images) for name in "ab"} | {"n": left()})
    asked = ImageAsked(image="alpine:latest")
    found = leaves(kept, shape, "a", "b", "n")
    # A nested workflow without containers has no images.
    assert unknown(found, answers(("h1", asked, ("id1",)))) is None
    missing = Answers({("h1", asked): ImageFound(asked=asked, unknown="it is not on the host")})
    told = "images could not be compared and count by their names alone: "
    assert unknown(found, missing) == f"{told}of image 'alpine:latest': it is not on the host"
    older = Reuse(attempt=1, jobs={name: left() for name in "abcde"})
    silent = Answers(silent={"no worker is on task queue 'orca'": None})
    assert unknown(leaves(older, shape, *"abcde"), silent) == (
        f"{told}no worker is on task queue 'orca'; no earlier attempt kept what job 'a', 'b', 'c' and 2 more ran with"
    )
