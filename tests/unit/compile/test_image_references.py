"""Which texts can be the name of an image."""

import pytest

from orchestrator.compile.image_references import image_problem

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    "image",
    [
        "alpine",
        "alpine:3.19",
        "library/alpine:3.19_a-b.C",
        "localhost/tool",
        "localhost:5000/tool:1",
        "registry.local/org/team/tool.x_y__z-0--1:v1",
        "REGISTRY.local:5000/tool",
        "Registry/tool",
        "[2001:db8::1]:5000/tool:1",
        f"alpine@{DIGEST}",
        f"registry.local:5000/org/tool:1@{DIGEST}",
        DIGEST,
        "0" * 64,
        "a",
    ],
)
def test_names_of_images(image: str) -> None:
    assert image_problem(image) is None


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("https://x/y:1", "begins with 'https://', which an image's name does not have; write 'x/y:1'"),
        ("docker://", "write 'postgres:15'"),
        ("Alpine:3", "capital letters in its path, which must be lower-case; write 'alpine:3'"),
        ("x.io/Org/Tool:V1", "write 'x.io/org/tool:V1'"),
        ("alpine:", "write 'alpine:latest', or remove the ':'"),
        ("x.io:5000/alpine:", "write 'x.io:5000/alpine:latest'"),
        ("alpine:-1", "has the tag '-1'"),
        (f"alpine:{'1' * 129}", "at most 128"),
        ("alpine@sha256:0", "has 'sha256:0' after its '@'"),
        ("alpine@", "has '' after its '@'"),
        ("-x.io/alpine", "begins with '-x.io', which is no host of a registry"),
        ("/alpine", "has the path '/alpine'"),
        ("alpine/", "has the path 'alpine/'"),
        ("a..b", "has the path 'a..b'"),
        ("a b", "has the path 'a b'"),
        (":1", "has the path ''"),
    ],
)
def test_what_is_none(image: str, problem: str) -> None:
    assert problem in str(image_problem(image))
