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


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "169.254.170.2", "fd00:ec2::254"]
)
def test_where_clouds_give_out_credentials_has_to_be_listed_itself(address: str) -> None:
    with pytest.raises(CallFault, match="credentials"):
        check_address(address, 80, ("*", "*.internal", "metadata.internal"))
    check_address("10.0.0.1", 80, ())


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://ann:pw@a.example:81/b/c?key=1#d") == "https://a.example:81/b/c"
    assert shown("http://[::1]:8/") == "http://[::1]:8/"
    assert shown("http://[::1") == "<an address that cannot be read>"
