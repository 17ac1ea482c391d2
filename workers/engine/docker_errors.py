"""The one place where errors of docker, requests and urllib3 become ours.

By class and status code, never by text.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from docker.errors import APIError, DockerException
from urllib3.exceptions import HTTPError

from orchestrator.errors import EngineError
from workers.engine.failures import EngineFault, EngineUnreachable


@dataclass(frozen=True)
class Kinds:
    """What a status code means for one call; `EngineFault` where the call says nothing."""

    not_found: type[EngineError] = EngineFault
    """404"""
    conflict: type[EngineError] = EngineFault
    """409"""
    refused: type[EngineError] = EngineFault
    """Any other 4xx."""
    failed: type[EngineError] = EngineFault
    """5xx"""

    def of(self, status: int | None) -> type[EngineError]:
        """The class for an HTTP status."""
        match status:
            case None:
                return EngineFault
            case 404:
                return self.not_found
            case 409:
                return self.conflict
            case _ if status < 500:
                return self.refused
            case _:
                return self.failed


PLAIN = Kinds()


@contextmanager
def translated(address: str, action: str, kinds: Kinds = PLAIN) -> Generator[None]:
    """Run a block whose foreign errors become ours.

    Args:
        address: the engine's, for the message.
        action: what failed if it fails, as a clause: `cannot start container 'x'`.
        kinds: what the engine's answers mean here.

    Raises:
        EngineUnreachable: the connection cannot be made, breaks or stays silent for too long.
        EngineError: of the class that `kinds` names, with the engine's own sentence.
    """
    try:
        yield
    except APIError as error:
        sentence = error.explanation or str(error)
        raise kinds.of(error.status_code)(f"{action}: {sentence}") from error
    except requests.exceptions.InvalidJSONError as error:
        raise EngineFault(f"{action}: the engine's answer is no JSON: {error}") from error
    except (requests.exceptions.RequestException, HTTPError, OSError) as error:
        raise unreachable(address, error) from error
    except DockerException as error:
        raise EngineFault(f"{action}: {error}") from error


def unreachable(address: str, cause: BaseException) -> EngineUnreachable:
    """The error that tells a person that no engine answers, and what to do."""
    return EngineUnreachable(
        f"no Docker engine answers at {address} ({_root(cause)}); start it (as root: 'dockerd' or"
        " 'systemctl start docker'), or set DOCKER_HOST to the address of one that runs"
    )


def _root(error: BaseException) -> str:
    """The innermost sentence: the layers above it only repeat it."""
    seen = {id(error)}
    while True:
        inner = error.__cause__ or error.__context__
        if inner is None or id(inner) in seen:
            break
        seen.add(id(inner))
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
