import os
import socket
import tarfile
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.store.store import open_store
from orchestrator.store.workspace import pack, ship


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as packed:
        return packed.getnames()


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    files = {"b.txt": "b", "a/x.sh": "#!/bin/sh\n", "a/y": ""}
    one = tree(tmp_path / "one", files)
    two = tree(tmp_path / "two", dict(reversed(files.items())))
    for root, mode in ((one, 0o700), (two, 0o755)):
        (root / "a/x.sh").chmod(mode)
    os.utime(two / "b.txt", (1, 1))
    first, second = pack(one, tmp_path / "1.tar.gz"), pack(two, tmp_path / "2.tar.gz")
    assert (first.sha256, first.size) == (second.sha256, second.size)
    assert first.path.read_bytes() == second.path.read_bytes()
    with tarfile.open(first.path) as packed:
        assert [(entry.name, oct(entry.mode), entry.uid, entry.mtime) for entry in packed] == [
            ("workspace", "0o777", 0, 0),
            ("workspace/a", "0o777", 0, 0),
            ("workspace/a/x.sh", "0o755", 0, 0),
            ("workspace/a/y", "0o644", 0, 0),
            ("workspace/b.txt", "0o644", 0, 0),
        ]


def test_gitignore_counts_at_all_levels(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "root",
        {
            ".gitignore": "*.log\n/build/\nnode_modules\n",
            "keep.txt": "",
            "drop.log": "",
            "build/out": "",
            "sub/build/kept": "",
            "sub/node_modules/x": "",
            "sub/.gitignore": "!keep.log\nsecret\n",
            "sub/keep.log": "",
            "sub/other.log": "",
            "sub/secret": "",
            "secret": "",
            ".git/config": "",
            "sub/.git/config": "",
        },
    )
    assert names(pack(root, tmp_path / "x.tar.gz").path) == [
        "workspace",
        "workspace/.gitignore",
        "workspace/keep.txt",
        "workspace/secret",
        "workspace/sub",
        "workspace/sub/.gitignore",
        "workspace/sub/build",
        "workspace/sub/build/kept",
        "workspace/sub/keep.log",
    ]


def test_links_and_special_files(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", {"a/file": "x"})
    for name, target in {
        "a/inside": "../a/file",
        "dangling": "none",
        "up": "../outside",
        "a/up": "../../x",
        "absolute": "/etc/passwd",
    }.items():
        (root / name).symlink_to(target)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "sock"))
        package = pack(root, tmp_path / "x.tar.gz")
    assert names(package.path) == [
        "workspace",
        "workspace/a",
        "workspace/a/file",
        "workspace/a/inside",
        "workspace/dangling",
    ]
    assert sorted(package.warnings) == [
        "'a/up' is a link to '../../x', outside the workspace, and was left out",
        "'absolute' is a link to '/etc/passwd', outside the workspace, and was left out",
        "'sock' is not a file, folder or link and was left out",
        "'up' is a link to '../outside', outside the workspace, and was left out",
    ]


def test_what_cannot_be_packed(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", {"big": "x" * 2000})
    with pytest.raises(UsageError, match="is not a folder"):
        pack(root / "big", tmp_path / "x")
    with pytest.raises(
        UsageError, match=r"holds more than 0 MiB; name what the jobs do not need in a \.gitignore"
    ):
        pack(root, tmp_path / "x", limit=1000)
    with pytest.raises(UsageError, match=r"cannot be packed: .*No such file"):
        pack(root, tmp_path / "none" / "x")


async def test_shipping_stores_by_content(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    root = tree(tmp_path / "root", {"a": "1"})
    key, warnings = await ship(store, root)
    written = (tmp_path / "store" / key).stat().st_mtime_ns
    assert await ship(store, root) == (key, warnings)
    assert (tmp_path / "store" / key).stat().st_mtime_ns == written
    (root / "a").write_text("2")
    other, _ = await ship(store, root)
    assert sorted(await store.list_keys("workspaces/")) == sorted([key, other])
