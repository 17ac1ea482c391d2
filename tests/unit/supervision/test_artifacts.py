import io
import tarfile
from collections.abc import Iterator

import pytest

from workers.supervision.artifact_paths import select
from workers.supervision.tar_stream import BadArchive, Rewriter, archive_end, clean_path


@pytest.mark.parametrize(
    ("path", "working_dir", "base"),
    [
        ("dist", "/w", "/w/dist"),
        ("dist/", "/w", "/w/dist"),
        ("./a/../dist", "/w", "/w/dist"),
        ("/abs", "/w", "/abs"),
        ("../../../etc", "/w", "/etc"),
        ("*.txt", "/w", "/w"),
        ("a/b*/c", "/w", "/w/a"),
        ("**", "/", "/"),
        ("/x/?", "/w", "/x"),
    ],
)
def test_what_the_engine_is_asked_for(path: str, working_dir: str, base: str) -> None:
    assert select(path, working_dir=working_dir).base == base


ENTRIES = ["w", "w/a.txt", "w/b.log", "w/d", "w/d/a.txt", "w/d/e", "w/d/e/c.txt", "w/a[1].txt"]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("*.txt", ["w/a.txt", "w/a[1].txt"]),
        ("**/*.txt", ["w/a.txt", "w/d/a.txt", "w/d/e/c.txt", "w/a[1].txt"]),
        ("d/**", ["w/d/a.txt", "w/d/e", "w/d/e/c.txt"]),
        ("d*", ["w/d", "w/d/a.txt", "w/d/e", "w/d/e/c.txt"]),
        ("*/e/*.txt", ["w/d/e/c.txt"]),
        ("?.log", ["w/b.log"]),
        ("a[1]*", ["w/a[1].txt"]),
        ("*.none", []),
    ],
)
def test_globs(path: str, taken: list[str]) -> None:
    selection = select(path, working_dir="/w")
    prefix = selection.base.rsplit("/", 1)[0].lstrip("/")
    asked = [entry for entry in ENTRIES if f"/{entry}/".startswith(f"{selection.base}/")]
    from_engine = [entry.removeprefix(prefix).lstrip("/") for entry in asked]
    assert [renamed for entry in from_engine if (renamed := selection.rename(entry))] == taken


def test_a_plain_path_takes_all_below_it() -> None:
    selection = select("out/dist", working_dir="/w")
    assert [selection.rename(entry) for entry in ("dist", "dist/a")] == ["w/out/dist", "w/out/dist/a"]


def tar(*entries: tuple[str, dict[str, object], bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, fields, data in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            for field, value in fields.items():
                setattr(entry, field, value)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def pieces(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return iter([data[start : start + size] for start in range(0, len(data), size)])


def rewritten(data: bytes, rewriter: Rewriter | None = None) -> dict[str, tuple[bytes, str, str, bytes]]:
    rewriter = rewriter or Rewriter(pieces(data), lambda name: f"w/{name}")
    whole = b"".join(rewriter.entries()) + archive_end()
    found: dict[str, tuple[bytes, str, str, bytes]] = {}
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            data = b"" if content is None else content.read()
            found[member.name] = (member.type, oct(member.mode), member.linkname, data)
    return found


def test_entries_are_renamed_and_sanitised() -> None:
    data = tar(
        ("d", {"type": tarfile.DIRTYPE, "mode": 0o41777}, b""),
        ("/d/abs", {"mode": 0o6755}, b"x" * 1500),
        ("./d/./dot", {}, b"1"),
        ("d/link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, b""),
        ("d/hard", {"type": tarfile.LNKTYPE, "linkname": "d/abs"}, b""),
        ("d/pipe", {"type": tarfile.FIFOTYPE}, b""),
        ("d/null", {"type": tarfile.CHRTYPE}, b""),
        ("d/" + "n" * 300, {}, b"long"),
    )
    rewriter = Rewriter(pieces(data), lambda name: f"w/{name}")
    assert rewritten(data, rewriter) == {
        "w/d": (tarfile.DIRTYPE, "0o1777", "", b""),
        "w/d/abs": (tarfile.REGTYPE, "0o755", "", b"x" * 1500),
        "w/d/dot": (tarfile.REGTYPE, "0o644", "", b"1"),
        "w/d/link": (tarfile.SYMTYPE, "0o644", "/etc/passwd", b""),
        "w/d/hard": (tarfile.LNKTYPE, "0o644", "w/d/abs", b""),
        "w/d/" + "n" * 300: (tarfile.REGTYPE, "0o644", "", b"long"),
    }
    assert (rewriter.taken, rewriter.dropped) == (6, ["w/d/pipe", "w/d/null"])


@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    data = tar(("a", {}, b"a" * 1025), ("b", {}, b""))
    rewriter = Rewriter(pieces(data, size), lambda name: name)
    assert {name: entry[3] for name, entry in rewritten(data, rewriter).items()} == {
        "a": b"a" * 1025,
        "b": b"",
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tar(("a/../../etc/passwd", {}, b"x")), "leaves the archive"),
        (tar(("ok", {"type": tarfile.LNKTYPE, "linkname": "../../x"}, b"")), "leaves the archive"),
        (tar(("ok", {}, b"x" * 5000))[:2000], "ends early|is broken"),
        (b"no archive at all" * 100, "is broken"),
    ],
)
def test_archives_that_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadArchive, match=message):
        rewritten(data)


def test_a_hard_link_to_what_is_not_selected() -> None:
    data = tar(("a", {}, b"x"), ("b", {"type": tarfile.LNKTYPE, "linkname": "a"}, b""))
    with pytest.raises(BadArchive, match="'/b' is a hard link to a file that is not part of the artifact"):
        rewritten(data, Rewriter(pieces(data), lambda name: name if name == "b" else None))


@pytest.mark.parametrize(
    ("name", "expected"), [("/", ""), (".", ""), ("./a", "a"), ("/a//b/", "a/b"), ("a/..b", "a/..b")]
)
def test_clean_paths(name: str, expected: str) -> None:
    assert clean_path(name) == expected
