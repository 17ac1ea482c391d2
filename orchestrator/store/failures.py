"""The one place where errors of obstore, and of the disk under it, become ours. By class, never by text."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from orchestrator.errors import StoreError


class ObjectNotFound(StoreError):
    """Nothing is stored under that key."""


class ObjectExists(StoreError):
    """Something is stored under that key already."""


class StoreRefused(StoreError):
    """The store wants credentials, or those it got may not do this."""


class CannotRefuse(StoreError):
    """It is of a kind, or set up so, that it cannot keep what is there from being written over."""


class StoreSilent(StoreError):
    """It did not answer in time. Whether it did what it was asked is not known."""


@asynccontextmanager
async def bounded(store: str, action: str, key: str, *, seconds: float) -> AsyncGenerator[None]:
    """Run a block that waits for the store, for so many seconds at most. Else like `translated`.

    Raises:
        StoreSilent: the time is over.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            with translated(store, action, key):
                yield
    except TimeoutError as error:
        raise StoreSilent(
            f"cannot {action} '{key}' in the store {store}: it did not answer within {seconds:g} s; check that the"
            " place can be reached"
        ) from error


@contextmanager
def translated(store: str, action: str, key: str) -> Generator[None]:
    """Run a block whose foreign errors become `StoreError`.

    Args:
        store: the store's URL or folder, for the message.
        action: what is being done, as a verb: `read`, `write`.
        key: to what.

    Raises:
        ObjectNotFound: there is nothing under the key.
        ObjectExists: there is something, and there may not be.
        CannotRefuse: the store cannot do such a thing at all.
        StoreRefused: the credentials are missing or not enough.
        StoreError: anything else that the store or its disk said.
    """
    where = f"cannot {action} '{key}' in the store {store}"
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFound(f"{where}: there is no such object") from error
    except (AlreadyExistsError, FileExistsError) as error:
        raise ObjectExists(f"{where}: there is such an object") from error
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise StoreRefused(
            f"{where}: {_first_line(error)}; check the credentials and rights for it"
        ) from error
    except (NotSupportedError, NotImplementedError) as error:
        raise CannotRefuse(f"{where}: {_first_line(error)}; the store cannot do this") from error
    except (BaseError, OSError, ValueError) as error:
        raise StoreError(
            f"{where}: {_first_line(error)}; check that the place can be reached and has room"
        ) from error


@contextmanager
def translated_opening(store: str) -> Generator[None]:
    """Like `translated`, for opening: all failures are `StoreError`s about the address."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise StoreError(
            f"cannot open the store '{store}': {_first_line(error)}; set ORCA_STORE to a folder that can be"
            " written, or to a URL such as s3://bucket/prefix"
        ) from error


def _first_line(error: BaseException) -> str:
    """The sentence of an obstore error without the structure dump that follows it."""
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
