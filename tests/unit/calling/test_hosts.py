"""Where requests may go."""

import pytest

from workers.calling.faults import CallFault
from workers.calling.http.hosts import check_address, check_url, shown


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://api.example.com/x", ("api.example.com",)),
        ("https://API.example.com./x", ("api.EXAMPLE.com",)),
        ("https://api.example.com", ("api.example.com:443",)),
        ("http://api.example.com", ("api.example.com:80",)),
        ("http://a.b.example.com", ("*.example.com",)),
        ("http://api\u3002example\uff0ecom./x", ("api.example.com",)),
        ("http://localhost:8080", ("localhost:8080",)),
        ("http://anything", ("*",)),
        ("http://anything:81", ("*:81",)),
        ("http://[::1]:81", ("[::1]:81",)),
        ("http://[::1]", ("[::1]",)),
        ("http://169.254.169.254/latest", ("169.254.169.254",)),
    ],
)
def test_what_is_listed_is_allowed(url: str, allowed: tuple[str, ...]) -> None:
    check_url(url, allowed)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://api.example.com", ()),
        ("http://example.com", ("*.example.com",)),
        ("http://badexample.com", ("*.example.com",)),
        ("http://api.example.com.evil.net", ("api.example.com", "*.example.com")),
        ("http://api.example.com@evil.net", ("api.example.com",)),
        ("http://localhost:8081", ("localhost:8080",)),
        ("https://localhost", ("localhost:80",)),
        ("http://anything:82", ("*:81",)),
    ],
)
def test_what_is_not_listed_is_refused(url: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(CallFault, match="is not allowed on this worker"):
        check_url(url, allowed)


def test_the_refusal_says_what_to_set() -> None:
    with pytest.raises(CallFault) as caught:
        check_url("https://ann:secret@hotels.local/a?token=secret", ("api.local",))
    assert str(caught.value) == (
        "'https://hotels.local/a' is not asked: host 'hotels.local' is not allowed on this worker (it allows "
        "api.local); add 'hotels.local' to its ORCA_HTTP_HOSTS, or start it with --allow-hosts api.local,hotels.local"
    )


@pytest.mark.parametrize("url", ["ftp://a/b", "/path", "hotels.local", "http://", "file:///etc/passwd"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(CallFault, match="must begin with http:// or https://"):
        check_url(url, ("*",))


@pytest.mark.parametrize("url", ["http://a:99999/", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CallFault, match="cannot be read"):
        check_url(url, ("*",))


BARRED = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fe80::1",
    "fe80::a9fe:a9fe%eth0",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "169.254.169.254.",
    "169\u3002254\uff0e169\uff61254",
]


@pytest.mark.parametrize("address", BARRED)
def test_where_clouds_give_out_credentials_has_to_be_listed_itself(address: str) -> None:
    anywhere = ("*", "*:80", "*.internal", "metadata.internal", "*.254")
    with pytest.raises(CallFault, match="credentials"):
        check_address(address, 80, anywhere)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(CallFault, match="credentials"):
        check_url(f"http://{host}/latest", anywhere)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "100.100.100.201", "::1", "::", "fd00::1", "::ffff:10.0.0.1", "2002::1"]
)
def test_other_addresses_need_not_be_listed_themselves(address: str) -> None:
    check_address(address, 80, ("*",))


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("169.254.169.254", "169.254.169.254"),
        ("169.254.169.254", "169.254.169.254:80"),
        ("::ffff:169.254.169.254", "169.254.169.254"),
        ("fd00:ec2::254", "[fd00:ec2::254]"),
        ("fd00:ec2::254", "[FD00:EC2:0::254]:80"),
        ("64:ff9b::169.254.169.254", "[64:ff9b::a9fe:a9fe]"),
    ],
)
def test_an_address_that_is_listed_itself_is_allowed_alone(address: str, entry: str) -> None:
    check_address(address, 80, ("a.b", entry))
    for other in ("169.254.169.253", "fd00:ec2::253"):
        with pytest.raises(CallFault, match="credentials"):
            check_address(other, 80, (entry,))
    if entry.endswith(":80"):
        with pytest.raises(CallFault, match="credentials"):
            check_address(address, 81, (entry,))


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://ann:pw@a.example:81/b/c?key=1#d") == "https://a.example:81/b/c"
    assert shown("http://[::1]:8/") == "http://[::1]:8/"
    assert shown("http://[::1") == "<an address that cannot be read>"
