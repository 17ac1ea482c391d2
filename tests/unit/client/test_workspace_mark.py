"""What of a workspace counts when a run is resumed."""

from pathlib import Path

import pytest

from orchestrator.client.workspace_mark import mark_of
from orchestrator.errors import UsageError


def test_all_that_is_shipped_counts_but_the_specs(tmp_path: Path) -> None:
    spec, code, inner = tmp_path / "ci.yaml", tmp_path / "code.py", tmp_path / "inner"
    inner.mkdir()
    for path in (spec, code, inner / "sub.yaml"):
        path.write_text("one")
    (tmp_path / ".gitignore").write_text("*.log\n")

    def mark() -> str:
        return mark_of(tmp_path, but=[spec, inner / "sub.yaml"])

    first = mark()
    assert len(first) == 64
    for path in (spec, inner / "sub.yaml", tmp_path / "noise.log"):
        path.write_text("two")
        assert mark() == first, path
    seen = [first]
    code.write_text("two")
    seen.append(mark())
    code.chmod(0o755)
    seen.append(mark())
    (tmp_path / "new").mkdir()
    seen.append(mark())
    (tmp_path / "link").symlink_to("code.py")
    seen.append(mark())
    code.rename(tmp_path / "moved.py")
    seen.append(mark())
    assert len(set(seen)) == len(seen)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        mark_of(tmp_path / "nothing", but=[])
