"""Sends one request and reads its answer. What goes wrong fails the job, with a reason that holds no secrets."""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

import httpx

from orchestrator.handlers import Context, StepResult
from workers.calling.faults import CallFault
from workers.calling.http.asked import Asked, asked, body_of
from workers.calling.http.hosts import check_address, check_url, shown
from workers.calling.http.unpacking import ACCEPTED, Body, Damaged, TooLarge, Unknown

MAX_REDIRECTS: Final = 5
TRANSIENT: Final = (408, 425, 429)
"""Statuses below 500 after which another try may get another answer."""
_CONNECTED: Final = ("connection.connect_tcp.complete",)


_asking: Final[ContextVar[bool]] = ContextVar("asking", default=False)


def _may_log(_: logging.LogRecord) -> bool:
    """The library logs whole addresses, secrets in them included; a function's own use of it is its author's matter."""
    return not _asking.get()


logging.getLogger("httpx").addFilter(_may_log)


async def call_http(context: Context, arguments: Mapping[str, Any], allowed: Sequence[str]) -> StepResult:
    """Send the request that `arguments` describe.

    Args:
        context: of the job; a line about each answer goes to its log.
        arguments: what stands in `with`, see `asked.Asked`.
        allowed: where requests may go.

    Returns:
        The outputs `status`, `headers` (names in lower case) and `body` (parsed where it says that it is JSON, else
        text). A failure where the status is not expected; it is worth another try where the server or the way to it
        was at fault.

    Raises:
        CallFault: there is no such request, it may not be sent, or its answer cannot be read.
    """
    _asking.set(True)
    request = asked(arguments)
    where = f"{request.method} {shown(request.url)}"
    begun = time.monotonic()
    try:
        async with asyncio.timeout(request.timeout):
            answer, body = await _exchange(request, allowed)
    except TimeoutError:
        raise CallFault(f"{where} had no answer within {request.timeout:g} s", final=False) from None
    except httpx.TimeoutException:
        raise CallFault(f"{where} had no answer in time", final=False) from None
    except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError):
        raise CallFault(f"{where} cannot be sent: `url` or `headers` hold what HTTP does not allow") from None
    except httpx.TransportError as error:
        # Its text names hosts and system errors, never the query.
        raise CallFault(f"{where} failed: {type(error).__name__}: {error}"[:500], final=False) from None
    took = time.monotonic() - begun
    context.log(f"{where} → {answer.status_code} {answer.reason_phrase}, {len(body):,} bytes in {took:.2f} s")
    if not request.expects(answer.status_code):
        return _unexpected(request, answer, body, where)
    output = {
        "status": answer.status_code,
        "headers": dict(answer.headers),
        "body": _parsed(answer, body, where),
    }
    return StepResult.ok(output)


async def _exchange(request: Asked, allowed: Sequence[str]) -> tuple[httpx.Response, bytes]:
    """The last answer, after redirects, and its body."""

    async def watch(event: str, info: Mapping[str, Any]) -> None:
        # Before anything is sent: a name may lead to an address that is not allowed.
        if event in _CONNECTED:
            stream = info["return_value"]
            peer = stream.get_extra_info("server_addr")
            try:
                check_address(str(peer[0]), int(peer[1]), allowed)
            except CallFault:
                await stream.aclose()
                raise

    content, kind = body_of(request)
    headers = {name: str(value) for name, value in request.headers.items()}
    if kind is not None and "content-type" not in {name.lower() for name in headers}:
        headers["content-type"] = kind
    check_url(request.url, allowed)
    async with httpx.AsyncClient(
        verify=_tls(),
        timeout=request.timeout,
        headers={"accept-encoding": ACCEPTED},
        # No proxies of the environment: what they connect to in our stead could not be checked.
        trust_env=False,
    ) as client:
        query = {name: value for name, value in request.query.items() if value is not None}
        url = httpx.URL(request.url)
        next_one: httpx.Request | None = client.build_request(
            request.method,
            url.copy_merge_params(query) if query else url,
            headers=headers,
            content=content,
            extensions={"trace": watch},
        )
        for _ in range(MAX_REDIRECTS + 1):
            assert next_one is not None
            # What is sent, as the library reads and writes it.
            check_url(str(next_one.url), allowed)
            answer = await client.send(next_one, stream=True)
            try:
                if not answer.has_redirect_location or request.expects(answer.status_code):
                    return answer, await _body(answer, request)
                next_one = answer.next_request
            finally:
                await answer.aclose()
            if next_one is not None:
                next_one.extensions = {**next_one.extensions, "trace": watch}
    raise CallFault(
        f"{request.method} {shown(request.url)} was redirected more than {MAX_REDIRECTS} times", final=False
    )


async def _body(answer: httpx.Response, request: Asked) -> bytes:
    """The answer's body, unpacked. What is larger than the limit is not read to its end."""
    where = f"{request.method} {shown(request.url)}"
    encoding = answer.headers.get("content-encoding", "")
    body = Body(encoding, request.max_bytes)
    try:
        async for part in answer.aiter_raw():
            body.take(part)
        return body.whole()
    except TooLarge:
        problem = (
            f"with more than {request.max_bytes:,} bytes (`max_bytes`); ask for less, or fetch it in a "
            "container job"
        )
    except Unknown:
        problem = (
            f"with a body that is packed as '{encoding[:80]}', and only one layer of gzip or deflate can be unpacked; "
            "ask without `accept-encoding`, or fetch it in a container job"
        )
    except Damaged:
        raise CallFault(f"{where}: the answer's body is not compressed as it says", final=False) from None
    status = answer.status_code
    raise CallFault(
        f"{where} answered {status} {problem}", final=request.expects(status) or not _may_change(status)
    )


def _parsed(answer: httpx.Response, body: bytes, where: str) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and (kind == "application/json" or kind.endswith("+json")):
        try:
            return json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise CallFault(
                f"{where} says that its answer is JSON, but it is not: {error}"[:500], final=False
            ) from None
    try:
        return body.decode(answer.charset_encoding or "utf-8", errors="replace")
    except LookupError:
        return body.decode(errors="replace")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unexpected(request: Asked, answer: httpx.Response, body: bytes, where: str) -> StepResult:
    """A failure. The body goes to the log alone: it may repeat what was sent."""
    status = answer.status_code
    if body:
        print(body[:2000].decode(errors="replace"))  # noqa: T201 - the job's log
    return StepResult.fail(
        f"{where} answered {status} {answer.reason_phrase}".rstrip()
        + f", and {request.expected} was expected",
        output={"status": status},
        retry=_may_change(status),
    )


def _may_change(status: int) -> bool:
    """Whether another try may get another answer than this one, which was not expected."""
    return status >= 500 or status in TRANSIENT


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are read once: that takes longer than a request."""
    return httpx.create_ssl_context()
