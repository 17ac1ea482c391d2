"""The `git` context of a run: what the folder of the spec stands at when the run is submitted."""

import subprocess
from pathlib import Path

GIT_LIMIT = 10.0
"""Seconds that one git command may take."""


def git_context(folder: Path, *, ref: str | None = None) -> dict[str, str]:
    """`ref`, `ref_name`, `ref_type`, `sha`, `branch`, `repository`, `actor` of the work tree that holds `folder`.

    Outside a work tree, or without git, every value is empty but a `ref` that was given. A detached head has a `sha`
    and, where a tag names it, the tag's `ref`.
    """
    sha = _git(folder, "rev-parse", "HEAD")
    found = ref or _git(folder, "symbolic-ref", "--quiet", "HEAD") or _tag(folder)
    name = found.removeprefix("refs/heads/").removeprefix("refs/tags/")
    kind = "tag" if found.startswith("refs/tags/") else "branch" if found.startswith("refs/heads/") else ""
    return {
        "ref": found,
        "ref_name": name,
        "ref_type": kind,
        "branch": name if kind == "branch" else "",
        "sha": sha,
        "repository": _repository(folder),
        "actor": _git(folder, "config", "user.name"),
    }


def _tag(folder: Path) -> str:
    tag = _git(folder, "describe", "--tags", "--exact-match")
    return f"refs/tags/{tag}" if tag else ""


def _repository(folder: Path) -> str:
    """`owner/name` of the remote `origin`, else the work tree's folder name."""
    url = _git(folder, "config", "--get", "remote.origin.url").removesuffix(".git").rstrip("/")
    if url:
        return "/".join(url.replace(":", "/").split("/")[-2:])
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top).name if top else ""


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        # No git on this machine, or one that hangs: the context is empty, as it is outside a work tree.
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
