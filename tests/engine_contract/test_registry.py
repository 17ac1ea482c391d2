"""What Docker asks a registry, of one on this machine: the engine speaks plain HTTP with those."""

import hashlib
import json

import pytest

from tests.support.http_server import Got, Say, said_json, serving
from tests.support.memory_engine import MemoryEngine
from workers.engine.docker_engine import DockerEngine
from workers.engine.failures import PullFailed

KIND = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "sha256:" + hashlib.sha256(b"{}").hexdigest()
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": KIND,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 2,
            "digest": CONFIG,
        },
        "layers": [],
    }
).encode()
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()


NAME = "/v2/thing/manifests/"


def answer(got: Got) -> Say:
    """A registry that has one image, `thing:1`."""
    if got.path == "/v2/":
        return said_json({})
    if got.path == f"/v2/thing/blobs/{CONFIG}":
        return Say(body=b"{}")
    if got.path in (f"{NAME}1", f"{NAME}{DIGEST}"):
        return Say(body=MANIFEST, headers={"Content-Type": KIND, "Docker-Content-Digest": DIGEST})
    return said_json({}, 404)


def test_the_registry_says_what_a_pull_would_fetch(docker_engine: DockerEngine) -> None:
    with serving(answer) as served:
        thing = f"127.0.0.1:{served.port}/thing"
        assert docker_engine.registry_digest(f"{thing}:1") == DIGEST
        with pytest.raises(PullFailed, match=f"does not say what image '{thing}:2' is: "):
            docker_engine.registry_digest(f"{thing}:2")


def test_no_registry(docker_engine: DockerEngine) -> None:
    for engine in (docker_engine, MemoryEngine()):
        with pytest.raises(
            PullFailed, match=r"the registry does not say what image 'orca\.invalid/none:1' is: "
        ):
            engine.registry_digest("orca.invalid/none:1")
