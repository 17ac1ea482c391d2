"""`hashFiles` over real files, against `sha256sum` by hand and against what GitHub's own matcher takes."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.client.hash_files import Files, functions_over, hashes_of
from orchestrator.compile import compile_text
from orchestrator.errors import ExpressionError, UsageError
from orchestrator.expressions import evaluate
from orchestrator.plan.file_patterns import call_key, read_patterns

NAMES = (
    "a.py", "b.py", "B.py", ".hidden", "a b.txt", "dir/a.py", "dir/.dot/x.py", "dir/sub.py", "dir/sub/deep/a.py",
    "dir-a/x", "dir2/a.py", "z/[x].txt", "z/x.txt", "z/].txt", "z/*.txt", "{a,b}", "+(a)", "#c", "!n", "ä/ö.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("files")
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "link.py").symlink_to("a.py")
    (root / "ldir").symlink_to("dir")
    return root


def by_hand(folder: Path, names: Sequence[str]) -> str:
    """What `sha256sum` makes of these files: of each, and then of all digests together."""
    if not names:
        return ""
    done = subprocess.run(["sha256sum", "--", *names], cwd=folder, capture_output=True, text=True, check=True)
    digests = b"".join(bytes.fromhex(line.lstrip("\\")[:64]) for line in done.stdout.splitlines())
    whole = subprocess.run(["sha256sum"], input=digests, capture_output=True, check=True)
    return whole.stdout.decode()[:64]


# Each was also given to GitHub's own matcher over the same files, which took the same ones in the same order.
TAKEN: list[tuple[list[str], list[str]]] = [
    (["*.py"], ["B.py", "a.py", "b.py", "link.py"]),
    (["**/a.py"], ["a.py", "dir/a.py", "dir/sub/deep/a.py", "dir2/a.py"]),
    (["b.py", "a.py"], ["b.py", "a.py"]),
    (["b.py\n  a.py \n# c\n\n"], ["b.py", "a.py"]),
    (["dir2/*", "dir/*.py"], ["dir2/a.py", "dir/a.py", "dir/sub.py"]),
    (["dir"], ["dir/.dot/x.py", "dir/a.py", "dir/sub/deep/a.py", "dir/sub.py"]),
    (["dir/"], ["dir/.dot/x.py", "dir/a.py", "dir/sub/deep/a.py", "dir/sub.py"]),
    (["dir/**", "!**/sub"], ["dir/.dot/x.py", "dir/a.py", "dir/sub.py"]),
    (["dir/**", "!**/*.py", "dir/a.py"], ["dir/a.py"]),
    (["!dir", "dir/a.py"], ["dir/a.py"]),
    (["dir/*/*/a.py"], ["dir/sub/deep/a.py"]),
    (["dir/**/deep/**/a.py"], ["dir/sub/deep/a.py"]),
    (["./a.py"], ["a.py"]),
    (["/workspace/a.py"], ["a.py"]),
    (["?.py"], ["B.py", "a.py", "b.py"]),
    (["[ab].py"], ["a.py", "b.py"]),
    (["[!ab].py"], ["B.py"]),
    (["[^a-b].py"], ["B.py"]),
    (["[z-a].py"], []),
    ([".*"], [".hidden"]),
    (["z/[x].txt"], ["z/x.txt"]),
    (["z/\\[x].txt"], ["z/[x].txt"]),
    (["z/[]].txt"], []),
    (["z/\\*.txt"], ["z/*.txt"]),
    (["z/[*].txt"], ["z/*.txt"]),
    (["{a,b}"], ["{a,b}"]),
    (["+(a)"], ["+(a)"]),
    (["#c"], []),
    (["\\#c"], ["#c"]),
    (["a b.txt"], ["a b.txt"]),
    (["**/ö.py"], ["ä/ö.py"]),
    (["?/[]].txt"], ["z/].txt"]),
    (["a.py/"], []),
    (["a.py/**"], ["a.py"]),
    (["ldir"], []),
    (["ldir/a.py"], ["ldir/a.py"]),
    (["--follow-symbolic-links", "ldir/*.py"], ["ldir/a.py", "ldir/sub.py"]),
    (["~/a.py"], []),
    (["/etc/passwd"], []),
    (["nothing*"], []),
    ([""], []),
]  # fmt: skip


@pytest.mark.parametrize(("patterns", "names"), TAKEN)
def test_the_hash_is_that_of_the_files_in_the_matchers_order(
    folder: Path, patterns: list[str], names: list[str]
) -> None:
    assert Files(folder).hash(patterns) == by_hand(folder, names)


def test_everything_is_folder_by_folder_by_name(folder: Path) -> None:
    order = [
        "!n", "#c", "+(a)", ".hidden", "B.py", "a b.txt", "a.py", "b.py", "dir/.dot/x.py", "dir/a.py",
        "dir/sub/deep/a.py", "dir/sub.py", "dir-a/x", "dir2/a.py", "link.py", "z/*.txt", "z/[x].txt", "z/].txt",
        "z/x.txt", "{a,b}", "ä/ö.py",
    ]  # fmt: skip
    files = Files(folder)
    assert {files.hash([pattern]) for pattern in ("**", "*", ".", "./", "/", "/workspace")} == {
        by_hand(folder, order)
    }


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (
            ["../x"],
            "the pattern '../x' of hashFiles has '..' in it; patterns are relative to the workspace and stay in it",
        ),
        (
            ["a/./b"],
            "the pattern 'a/./b' of hashFiles has '.' in it; patterns are relative to the workspace and stay in it",
        ),
        (["!"], "the pattern '!' of hashFiles is empty"),
        (["--follow", "a"], "hashFiles knows the option '--follow-symbolic-links' and not '--follow'"),
    ],
)
def test_what_is_no_pattern(folder: Path, patterns: list[str], message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Files(folder).hash(patterns)
    assert str(caught.value) == message


def test_only_what_is_shipped_counts(tmp_path: Path) -> None:
    for name in ("kept.txt", "build/out.txt", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "outside.txt").symlink_to("/etc/hostname")
    (tmp_path / ".gitignore").write_text("build\n")
    assert Files(tmp_path).hash(["**/*.txt"]) == by_hand(tmp_path, ["kept.txt"])
    assert Files(tmp_path).hash([".git/**"]) == ""


def test_links_are_followed_once_around_and_broken_ones_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_text("x")
    (tmp_path / "a/up").symlink_to("..")
    assert Files(tmp_path).hash(["--follow-symbolic-links", "**"]) == by_hand(tmp_path, ["a/x"])
    (tmp_path / "gone").symlink_to("nowhere")
    assert Files(tmp_path).hash(["--follow-symbolic-links", "**"]) == by_hand(tmp_path, ["a/x"])
    with pytest.raises(UsageError, match="'gone': it is a link to nothing that is shipped"):
        Files(tmp_path).hash(["**"])


def test_every_call_of_a_plan_is_computed(folder: Path) -> None:
    plan = compile_text(
        """
name: hashes
workspace: .
env: {ALL: "${{ hashFiles('**') }}"}
jobs:
  a:
    image: alpine:${{ hashFiles('a.py', '!b.py') }}
    if: hashFiles('b.py') != '' && hashFiles( format('{0}.py', 'B') )
    commands: ["echo ${{ hashFiles('c*') }} hashFiles('d')", "echo hashFiles(e)"]
    outputs: {one: "${{ HASHFILES('dir') }}"}
  each:
    image: alpine:latest
    matrix: {folder: [dir, z]}
    commands: ["echo ${{ hashFiles(format('{0}/*', matrix.folder)) }}"]
  dynamic:
    image: alpine:latest
    for_each: ${{ fromJSON(format('["{0}"]', hashFiles('for'))) }}
    commands: ["true"]
outputs: {two: "${{ hashFiles('out') }}"}
""",
        "spec.yaml",
    ).plan
    calls = {
        ("**",), ("a.py", "!b.py"), ("b.py",), ("B.py",), ("c*",), ("dir",), ("dir/*",), ("z/*",), ("for",), ("out",),
    }  # fmt: skip
    files = Files(folder)
    assert hashes_of(plan, folder) == {call_key(call): files.hash(call) for call in calls}


def test_an_evaluation_here_reads_the_folder(folder: Path) -> None:
    value = evaluate("hashFiles('a.py') == hashFiles('b.py')", {}, functions=functions_over(folder))
    assert value is False
    assert evaluate("hashfiles('a.py')", {}, functions=functions_over(folder)) == by_hand(folder, ["a.py"])


@given(
    pattern=st.lists(st.sampled_from([*"ab*?[]!^-\\/.~ ", "**", "dir"]), max_size=12).map("".join),
    path=st.lists(st.sampled_from(["a", "b", "dir", "a-b", ".x"]), min_size=1, max_size=4).map("/".join),
)
def test_any_text_is_a_pattern_or_an_error(pattern: str, path: str) -> None:
    try:
        patterns = read_patterns((pattern,))
    except ExpressionError:
        return
    assert isinstance(patterns.takes_file(f"/workspace/{path}"), bool)


def test_stars_take_no_long_time() -> None:
    patterns = read_patterns(("*a" * 100 + "b", "**/a/" * 50 + "b"))
    assert not patterns.takes_file("/workspace/" + "a" * 4000)
    assert not patterns.takes_file("/workspace/" + "a/" * 2000 + "c")
