"""`call: http` against a real server."""

import asyncio
import gzip
import json
import logging
import threading
import time
import tracemalloc
import zlib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from orchestrator.contract.messages import JobOutcome
from tests.support.calling import CallBench, call_of
from tests.support.http_server import Got, Say, said_json, serving
from workers.calling.http import hosts
from workers.calling.voice import listening


async def asked(
    tmp_path: Path, url: str, *, hosts: tuple[str, ...] = ("127.0.0.1",), **given: Any
) -> JobOutcome:
    bench = CallBench(tmp_path, hosts=hosts)
    return await bench.run(call_of("http", arguments={"url": url, **given}))


async def test_an_answer_in_json_becomes_outputs(tmp_path: Path) -> None:
    with serving(lambda got: said_json({"hotels": [{"name": "a"}], "q": got.query["q"]})) as server:
        outcome = await asked(tmp_path, f"{server.url}/search?a=1", query={"q": ["x y", "&"], "none": None})
    assert outcome.status == "success"
    assert outcome.outputs["status"] == 200
    assert outcome.outputs["body"] == {"hotels": [{"name": "a"}], "q": ["x y", "&"]}
    assert outcome.outputs["headers"]["content-type"] == "application/json"
    assert dict(server.got[0].query) == {"a": ["1"], "q": ["x y", "&"]}


@pytest.mark.parametrize(
    ("given", "kind", "body"),
    [
        ({"body": {"a": [1, "ü"]}}, "application/json", '{"a": [1, "ü"]}'),
        ({"body": "plain ü"}, "text/plain; charset=utf-8", "plain ü"),
        ({"body": "<a/>", "headers": {"Content-Type": "text/xml", "X-N": 3}}, "text/xml", "<a/>"),
        ({"body": False}, "application/json", "false"),
    ],
)
async def test_a_body_is_sent(tmp_path: Path, given: dict[str, Any], kind: str, body: str) -> None:
    with serving(lambda _: Say(201)) as server:
        outcome = await asked(tmp_path, server.url, method="post", **given)
    assert (outcome.outputs["status"], outcome.outputs["body"]) == (201, "")
    (got,) = server.got
    assert (got.method, got.headers["content-type"], got.body.decode()) == ("POST", kind, body)
    assert got.headers.get("x-n") == ("3" if "headers" in given else None)


@pytest.mark.parametrize(
    ("status", "expect", "said", "final"),
    [
        (404, None, "answered 404 Not Found, and 2xx was expected", True),
        (500, None, "answered 500 Internal Server Error, and 2xx was expected", False),
        (429, None, "answered 429 Too Many Requests, and 2xx was expected", False),
        (200, [201, "4xx"], "answered 200 OK, and 201 or 4xx was expected", True),
        (404, [201, "4xx"], None, None),
        (204, None, None, None),
        (304, 304, None, None),
    ],
)
async def test_the_status_decides(
    tmp_path: Path, status: int, expect: Any, said: str | None, final: bool | None
) -> None:
    with serving(lambda _: Say(status)) as server:
        outcome = await asked(tmp_path, f"{server.url}/a?key=secret", expect=expect)
    if said is None:
        assert (outcome.status, outcome.outputs["status"]) == ("success", status)
    else:
        assert (str(outcome.reason), outcome.final) == (f"call: GET {server.url}/a {said}", final)
        assert outcome.outputs == {"status": status}


async def test_no_server_is_worth_another_try(tmp_path: Path) -> None:
    with serving(lambda _: Say()) as server:
        url = server.url
    outcome = await asked(tmp_path, f"{url}/a?key=secret")
    assert str(outcome.reason).startswith(f"call: GET {url}/a failed: ConnectError: ")
    assert "secret" not in str(outcome.reason)
    assert not outcome.final


async def test_an_answer_that_takes_too_long(tmp_path: Path) -> None:
    go_on = threading.Event()

    def late(_: Got) -> Say:
        go_on.wait(20)
        return Say()

    with serving(late) as server:
        begun = time.monotonic()
        outcome = await asked(tmp_path, server.url, timeout="300ms")
        took = time.monotonic() - begun
        go_on.set()
    assert str(outcome.reason) == f"call: GET {server.url} had no answer within 0.3 s"
    assert took < 5
    assert not outcome.final


async def test_a_request_that_is_cancelled_ends_at_once(tmp_path: Path) -> None:
    go_on = threading.Event()

    def late(_: Got) -> Say:
        go_on.wait(20)
        return Say()

    bench = CallBench(tmp_path, hosts=("*",))
    with serving(late) as server:
        call = asyncio.create_task(bench.run(call_of("http", arguments={"url": server.url})))
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        call.cancel()
        outcome = await call
        assert time.monotonic() - begun < 2
        go_on.set()
    assert (outcome.status, outcome.warnings) == ("cancelled", ())


async def test_too_much_is_not_read_to_its_end(tmp_path: Path) -> None:
    with serving(lambda _: Say(body=b"x" * 5000)) as server:
        outcome = await asked(tmp_path, server.url, max_bytes=4999)
        fits = await asked(tmp_path, server.url, max_bytes=5000)
    assert str(outcome.reason) == (
        f"call: GET {server.url} answered 200 with more than 4,999 bytes (`max_bytes`); ask for less, or fetch it in a "
        "container job"
    )
    assert fits.outputs["body"] == "x" * 5000


def packed(body: bytes, encoding: str) -> Say:
    return Say(body=body, headers={"Content-Encoding": encoding})


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"there" * 1000)),
        ("GZIP, identity", gzip.compress(b"there" * 1000)),
        ("gzip", gzip.compress(b"there" * 400) + gzip.compress(b"there" * 600)),
        ("deflate", zlib.compress(b"there" * 1000)),
        ("deflate", zlib.compress(b"there" * 1000, wbits=-15)),
        ("identity", b"there" * 1000),
    ],
)
async def test_a_packed_answer_is_unpacked(tmp_path: Path, encoding: str, body: bytes) -> None:
    with serving(lambda _: packed(body, encoding)) as server:
        outcome = await asked(tmp_path, server.url, max_bytes=5000)
        refused = await asked(tmp_path, server.url, max_bytes=4999)
    assert outcome.outputs["body"] == "there" * 1000
    assert "answered 200 with more than 4,999 bytes (`max_bytes`)" in str(refused.reason)
    assert server.got[0].headers["accept-encoding"] == "gzip"


async def test_a_packed_answer_is_not_unpacked_beyond_its_limit(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 200_000_000, compresslevel=1)
    tracemalloc.start()
    try:
        with serving(lambda _: packed(bomb, "gzip")) as server:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            outcome = await asked(tmp_path, server.url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "more than 1,048,576 bytes" in str(outcome.reason)
    assert peak - before < 20_000_000


async def test_a_packed_answer_that_unpacks_to_nothing_ends(tmp_path: Path) -> None:
    with serving(lambda _: packed(gzip.compress(b"") * 10_000, "gzip")) as server:
        outcome = await asked(tmp_path, server.url, max_bytes=1000)
    assert "more than 1,000 bytes" in str(outcome.reason)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "gzip,deflate", "zstd"])
async def test_other_ways_to_pack_are_refused(tmp_path: Path, encoding: str) -> None:
    body = gzip.compress(gzip.compress(b"there"))
    with serving(lambda _: packed(body, encoding)) as server:
        outcome = await asked(tmp_path, server.url)
        empty = await asked(tmp_path, server.url, method="HEAD")
    assert str(outcome.reason) == (
        f"call: GET {server.url} answered 200 with a body that is packed as '{encoding}', and only one layer of gzip "
        "or deflate can be unpacked; ask without `accept-encoding`, or fetch it in a container job"
    )
    assert outcome.final
    assert empty.outputs["body"] == ""


@pytest.mark.parametrize("body", [b"there", gzip.compress(b"there")[:-4], gzip.compress(b"there") + b"more"])
async def test_a_packed_answer_that_is_damaged(tmp_path: Path, body: bytes) -> None:
    with serving(lambda _: packed(body, "gzip")) as server:
        outcome = await asked(tmp_path, server.url)
    assert str(outcome.reason) == f"call: GET {server.url}: the answer's body is not compressed as it says"
    assert not outcome.final


@pytest.mark.parametrize(("status", "final"), [(503, False), (404, True)])
async def test_a_failure_with_a_large_body_is_worth_another_try_as_any_other(
    tmp_path: Path, status: int, final: bool
) -> None:
    with serving(lambda _: Say(status, body=b"x" * 5000)) as server:
        outcome = await asked(tmp_path, server.url, max_bytes=100)
    assert f"answered {status} with more than 100 bytes" in str(outcome.reason)
    assert outcome.final is final


async def test_an_answer_that_no_record_can_hold(tmp_path: Path) -> None:
    with serving(lambda _: said_json("x" * 100_000)) as server:
        outcome = await asked(tmp_path, server.url)
    assert str(outcome.reason).startswith("output: the outputs take more than 65,536 bytes")


@pytest.mark.parametrize("body", [b"{", b"NaN", b"\xff"])
async def test_what_says_that_it_is_json_and_is_not(tmp_path: Path, body: bytes) -> None:
    with serving(lambda _: Say(body=body, headers={"Content-Type": "application/json"})) as server:
        outcome = await asked(tmp_path, server.url)
    assert f"GET {server.url} says that its answer is JSON, but it is not" in str(outcome.reason)


async def test_text_is_read_in_its_own_encoding(tmp_path: Path) -> None:
    headers = {"Content-Type": "text/plain; charset=iso-8859-1"}
    with serving(lambda _: Say(body="ü".encode("latin-1"), headers=headers)) as server:
        assert (await asked(tmp_path, server.url)).outputs["body"] == "ü"


def redirecting(target: str, status: int = 302) -> Say:
    return Say(status, headers={"Location": target})


async def test_redirects_are_followed(tmp_path: Path) -> None:
    with serving(lambda got: redirecting("/b") if got.path == "/a" else Say(body=b"there")) as server:
        outcome = await asked(
            tmp_path, f"{server.url}/a", headers={"Authorization": "secret"}, method="POST", body="x"
        )
    assert outcome.outputs["body"] == "there"
    assert [(got.method, got.path) for got in server.got] == [("POST", "/a"), ("GET", "/b")]


async def test_redirects_end(tmp_path: Path) -> None:
    with serving(lambda _: redirecting("/a")) as server:
        outcome = await asked(tmp_path, f"{server.url}/a")
    assert str(outcome.reason) == f"call: GET {server.url}/a was redirected more than 5 times"
    assert len(server.got) == 6


async def test_a_redirect_may_not_lead_elsewhere(tmp_path: Path) -> None:
    with serving(lambda _: Say(body=b"inside")) as inner, serving(lambda _: redirecting(inner.url)) as outer:
        outcome = await asked(tmp_path, outer.url, hosts=(f"127.0.0.1:{outer.port}",))
        followed = await asked(tmp_path, outer.url, hosts=("127.0.0.1",), headers={"Authorization": "secret"})
    assert f"'{inner.url}' is not asked: host '127.0.0.1' is not allowed" in str(outcome.reason)
    assert followed.outputs["body"] == "inside"
    # What was meant for the first server is not told to the second.
    assert "authorization" not in inner.got[0].headers
    assert len(inner.got) == 1


async def test_an_expected_redirect_is_an_answer(tmp_path: Path) -> None:
    with serving(lambda _: redirecting("/b")) as server:
        outcome = await asked(tmp_path, server.url, expect=302)
    assert (outcome.outputs["status"], outcome.outputs["headers"]["location"]) == (302, "/b")


async def test_nothing_is_asked_by_default(tmp_path: Path) -> None:
    with serving(lambda _: Say()) as server:
        outcome = await asked(tmp_path, server.url, hosts=())
    assert "host '127.0.0.1' is not allowed on this worker (it allows none)" in str(outcome.reason)
    assert (outcome.final, server.got) == (True, [])


async def test_a_name_may_not_lead_to_a_cloud_s_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 'localhost' stands for a name that somebody points to such an address.
    monkeypatch.setattr(hosts, "_BARRED", (ip_network("127.0.0.0/8"), ip_network("::1")))
    with serving(lambda _: Say()) as server:
        outcome = await asked(tmp_path, f"http://localhost:{server.port}", hosts=("*",))
    assert "is not asked, since it is one of those at which clouds give a machine its credentials" in str(
        outcome.reason
    )
    assert server.got == []


async def test_no_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda _: Say(body=b"proxy")) as proxy, serving(lambda _: Say(body=b"there")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        outcome = await asked(tmp_path, server.url)
    assert outcome.outputs["body"] == "there"
    assert proxy.got == []


async def test_dots_of_other_scripts_count_as_dots(tmp_path: Path) -> None:
    with serving(lambda _: Say(body=b"there")) as server:
        outcome = await asked(tmp_path, f"http://127\u30020\uff0e0\uff611:{server.port}")
    assert outcome.outputs["body"] == "there"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "`url` is missing"),
        ({"url": "http://a", "metod": "GET"}, "it has no `metod` (did you mean `method`?)"),
        ({"url": "http://a", "method": "FETCH"}, "`method`: input should be 'GET', 'HEAD'"),
        (
            {"url": "http://a", "expect": "ok"},
            "`expect` must be a status such as 200, a class such as 2xx, or a list",
        ),
        ({"url": "http://a", "expect": 20}, "`expect` must be a status"),
        ({"url": "http://a", "headers": {"a": [1]}}, "`headers.a` must be text or a number"),
        ({"url": "http://a", "query": "a=b"}, "`query` must be a mapping"),
        ({"url": "http://a", "timeout": 0}, "`timeout` must be seconds above 0, or a text such as 30s"),
        ({"url": "http://a", "timeout": "soon"}, "`timeout` must be seconds above 0, or a text such as 30s"),
        ({"url": 3}, "`url`: input should be a valid string"),
        ({"url": "http://a", "headers": {"a": "b\nc: d"}}, "`headers.'a'` holds what HTTP does not allow"),
        ({"url": "http://a", "headers": {"a b": "c"}}, "`headers.'a b'` holds what HTTP does not allow"),
        ({"url": "http://a\x01b"}, "cannot be sent: `url` or `headers` hold what HTTP does not allow"),
    ],
)
async def test_a_request_that_is_none(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    outcome = await CallBench(tmp_path, hosts=("*",)).run(call_of("http", arguments=given))
    assert said in str(outcome.reason)
    assert outcome.final


async def test_the_log_tells_what_came_but_no_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench = CallBench(tmp_path, hosts=("*",))
    with serving(lambda _: Say(body=json.dumps({"a": 1}).encode())) as server:
        request = call_of("http", arguments={"url": f"http://ann:pw@127.0.0.1:{server.port}/a?key=pw"})
        with listening():
            await bench.run(request)
    (line,) = await bench.log(request)
    assert line.startswith(f"GET {server.url}/a → 200 OK, 8 bytes in 0.")
    assert server.got[0].headers["authorization"].startswith("Basic ")
    assert "pw" not in caplog.text
