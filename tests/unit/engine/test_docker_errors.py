import json

import pytest
import requests
from docker.errors import APIError, DockerException, create_api_error_from_http_exception
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from orchestrator.errors import EngineError
from workers.engine.docker_errors import Kinds, translated
from workers.engine.failures import (
    ContainerGone,
    EngineFault,
    EngineUnreachable,
    Interrupted,
    NameTaken,
    StartFailed,
)

KINDS = Kinds(ContainerGone, NameTaken, StartFailed)


def answer(status: int) -> APIError:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps({"message": "the engine's words"}).encode()  # pyright: ignore[reportPrivateUsage]
    try:
        create_api_error_from_http_exception(requests.exceptions.HTTPError(response=response))
    except APIError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer(404), ContainerGone),
        (answer(409), NameTaken),
        (answer(400), StartFailed),
        (answer(500), EngineFault),
        (requests.exceptions.ConnectionError(), EngineUnreachable),
        (requests.exceptions.ReadTimeout(), EngineUnreachable),
        (requests.exceptions.ChunkedEncodingError(), EngineUnreachable),
        (ProtocolError("broken"), EngineUnreachable),
        (ReadTimeoutError(None, "", "slow"), EngineUnreachable),  # pyright: ignore[reportArgumentType]
        (ConnectionResetError(), EngineUnreachable),
        (requests.exceptions.JSONDecodeError("no", "", 0), EngineFault),
        (DockerException("odd"), EngineFault),
        (Interrupted("told to"), Interrupted),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_every_foreign_error_becomes_ours(error: Exception, kind: type[EngineError]) -> None:
    with pytest.raises(EngineError) as caught, translated("unix:///x", "cannot do it", KINDS):
        raise error
    assert type(caught.value) is kind


def test_messages() -> None:
    with pytest.raises(ContainerGone) as gone, translated("unix:///x", "cannot do it", KINDS):
        raise answer(404)
    assert str(gone.value) == "cannot do it: the engine's words"
    with pytest.raises(EngineUnreachable) as silent, translated("unix:///x", "cannot do it"):
        raise requests.exceptions.ConnectionError("outer") from ConnectionRefusedError(
            111, "Connection refused"
        )
    assert str(silent.value).startswith(
        "no Docker engine answers at unix:///x (Connection refused); start it"
    )
    assert silent.value.exit_code == 3
