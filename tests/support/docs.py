"""The documentation as the tests read it: headings, links, and fenced blocks with what stands after their language.

    ```yaml                                     a whole spec; it runs and ends with success
    ```yaml run="failed" params="version=2"     … and ends so, with these params
    ```yaml dry="yes"                            … as a dry run, in which every job ends as if it had succeeded
    ```yaml check="error" file="ci.yaml"        a wrong spec; the text block after it is what `orca validate` says
    ```yaml from="GitHub Actions"               another system's file, or a piece of one
    ```text file="data.txt"                     a file beside the specs of its section, which they may nest

A text block right after a spec that runs has lines of its log as `job | line`, states as `job: state`, and outputs of
the run as `output name = value`.
"""

import re
import shlex
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs"
PAGES: Final = sorted(FOLDER.rglob("*.md"))

_FENCE: Final = re.compile(r"^```(\w*)(.*)$")
_HEADING: Final = re.compile(r"^(#{1,6}) (.*)$")
_LINK: Final = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_WORD: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    headings: tuple[str, ...]
    """The headings that it stands under, outermost first."""
    language: str
    words: dict[str, str]
    text: str
    after: str | None = None
    """The text block that follows with nothing between the two."""
    files: dict[str, str] = field(default_factory=dict[str, str])
    """What the section puts beside its specs."""

    @property
    def name(self) -> str:
        """For the names of tests: `language/jobs.md:12`."""
        return f"{self.page.relative_to(FOLDER)}:{self.line}"

    @property
    def is_ours(self) -> bool:
        """Whether it is a whole orca spec."""
        return self.language == "yaml" and "from" not in self.words

    @property
    def runs(self) -> bool:
        """Whether it is one that is to be run."""
        return self.is_ours and "check" not in self.words

    @property
    def file(self) -> str:
        """The file name that it is given."""
        return self.words.get("file", "spec.yaml")

    @property
    def params(self) -> list[str]:
        """`name=value` words for the run."""
        return shlex.split(self.words.get("params", ""))


@dataclass(frozen=True)
class Page:
    """A page with its parts."""

    path: Path
    headings: tuple[str, ...]
    links: tuple[str, ...]
    blocks: tuple[Block, ...]


@cache
def read(path: Path) -> Page:
    """The parts of a page. Raises ValueError where a fence is not closed."""
    headings: list[str] = []
    links: list[str] = []
    blocks: list[Block] = []
    above: list[str] = []
    opened: tuple[int, str, str] | None = None
    content: list[str] = []
    adjacent = False
    for number, line in enumerate(path.read_text().split("\n"), start=1):
        fence = _FENCE.match(line)
        if opened is not None:
            if line == "```":
                block = _block(path, opened, tuple(above), content, blocks)
                if block.language == "text" and adjacent and not block.words:
                    blocks[-1] = replace(blocks[-1], after=block.text)
                else:
                    blocks.append(block)
                adjacent, opened = True, None
            else:
                content.append(line)
        elif fence is not None:
            opened, content = (number, fence[1], fence[2]), []
        elif heading := _HEADING.match(line):
            above = [*above[: len(heading[1]) - 1], heading[2]]
            headings.append(heading[2])
            adjacent = False
        else:
            links += _LINK.findall(line)
            adjacent = adjacent and not line.strip()
    if opened is not None:
        raise ValueError(f"{path}:{opened[0]}: the block is not closed")
    return Page(path, tuple(headings), tuple(links), tuple(blocks))


def _block(
    path: Path, opened: tuple[int, str, str], above: tuple[str, ...], content: list[str], before: list[Block]
) -> Block:
    line, language, info = opened
    files = {
        one.words["file"]: one.text
        for one in before
        if one.language != "yaml" and "file" in one.words and one.headings == above
    }
    words = dict(_WORD.findall(info))
    return Block(path, line, above, language, words, "".join(f"{one}\n" for one in content), files=files)


def rewrite_after(block: Block, text: str) -> None:
    """Puts `text` into the text block that follows `block` on its page."""
    lines = block.page.read_text().split("\n")
    begin = lines.index("```text", block.line)
    end = lines.index("```", begin)
    lines[begin + 1 : end] = text.removesuffix("\n").split("\n")
    block.page.write_text("\n".join(lines))


def blocks() -> list[Block]:
    """Every block of every page."""
    return [block for path in PAGES for block in read(path).blocks]


def anchor(heading: str) -> str:
    """The anchor that code hosts give a heading."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower())
    return plain.replace(" ", "-")
