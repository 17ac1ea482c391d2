"""E0..: what can be wrong with the file before anybody looks for a workflow in it."""

from typing import Final

from orchestrator.spec.explanations.explanation import Explanation
from orchestrator.spec.text import MAX_BYTES

_BUILD: Final = """\
name: build
jobs:
  build:
    image: alpine:latest
    commands: [make]
"""
_BOMB: Final = "".join(
    f"{new}: &{new} [{', '.join([f'*{old}' if old else 'x'] * 10)}]\n"
    for new, old in zip("abcdef", ["", *"abcde"], strict=True)
)

FILES: Final = (
    Explanation(
        code="E001",
        slug="file-too-large",
        title="The file is too large",
        text="A spec has at most 10 MB. A file of that size is data and no workflow: put the data into the workspace, "
        "and let a job read it there.",
        wrong=f"{_BUILD}# … and ten megabytes more\n",
        whole=_BUILD + "#" * MAX_BYTES,
        mended=_BUILD,
    ),
    Explanation(
        code="E002",
        slug="not-utf-8",
        title="The file is not UTF-8 text",
        text="YAML is read as UTF-8 here. Save the file as UTF-8, without a byte order mark or with UTF-8's own. The "
        "place is the first byte that does not belong.",
        wrong=b"name: caf\xe9\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
        mended="name: café\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E003",
        slug="control-character",
        title="A control character stands in the text",
        text="YAML allows no control characters but tab and line breaks. They often come from a terminal's colours or "
        'from copying. Remove the character, or write it as an escape such as "\\x1b" in double quotes.',
        wrong='name: build\njobs:\n  build: {image: alpine:latest, commands: ["printf \x1b[1m"]}\n',
        mended='name: build\njobs:\n  build: {image: alpine:latest, commands: ["printf \\x1b[1m"]}\n',
    ),
    Explanation(
        code="E004",
        slug="not-yaml",
        title="The text is not valid YAML",
        text="The place is where the reader gave up, which is often one line after the mistake: look there and above "
        "for a missing quote, bracket or colon, and for wrong indentation.",
        wrong='name: build\njobs:\n  build:\n    image: "alpine:latest\n    commands: [make]\n',
        mended='name: build\njobs:\n  build:\n    image: "alpine:latest"\n    commands: [make]\n',
    ),
    Explanation(
        code="E005",
        slug="duplicate-key",
        title="A mapping has the same key twice",
        text="YAML readers that accept this drop one of the two values and say nothing, so orca does not accept it. "
        "Keep one of them, or join the two.",
        wrong="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: {TARGET: all}
    commands: [make]
    env: {VERBOSE: "1"}
""",
        mended="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: {TARGET: all, VERBOSE: "1"}
    commands: [make]
""",
    ),
    Explanation(
        code="E006",
        slug="key-not-text",
        title="A key is not text",
        text="Keys such as 1, true or null must be written in quotes, as they are a number, a boolean and nothing in "
        "YAML. Lists and mappings cannot be keys.",
        wrong="name: build\nlabels:\n  2026: budget\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
        mended='name: build\nlabels:\n  "2026": budget\njobs:\n  build: {image: alpine:latest, commands: [make]}\n',
    ),
    Explanation(
        code="E007",
        slug="yaml-tag",
        title="A YAML tag is not supported",
        text="Specs are plain data: tags (`!name`, `!!name`) are not supported. A text that begins with an exclamation "
        "mark belongs in quotes.",
        wrong="name: build\njobs:\n  build:\n    image: alpine:latest\n    commands: [!!str make]\n",
        mended="name: build\njobs:\n  build:\n    image: alpine:latest\n    commands: [make]\n",
    ),
    Explanation(
        code="E008",
        slug="second-document",
        title="The file holds more than one YAML document",
        text="One file is one workflow. Split the file at the `---`, and start the workflows one by one.",
        wrong=f"{_BUILD}---\nname: test\njobs:\n  test: {{image: alpine:latest, commands: [make test]}}\n",
        mended=_BUILD,
    ),
    Explanation(
        code="E009",
        slug="unknown-alias",
        title="An alias names no anchor",
        text="An alias (`*name`) stands for the value that an anchor (`&name`) marks, and the anchor must come before "
        "it in the file. A text that begins with `*` belongs in quotes.",
        wrong="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: {TARGET: *target}
    commands: [make]
  test:
    image: alpine:latest
    env: {TARGET: &target all}
    commands: [make test]
""",
        mended="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: {TARGET: &target all}
    commands: [make]
  test:
    image: alpine:latest
    env: {TARGET: *target}
    commands: [make test]
""",
    ),
    Explanation(
        code="E010",
        slug="alias-in-itself",
        title="An alias stands inside the value that it names",
        text="The value would contain itself without end. Mark a smaller part with the anchor, or write the value out.",
        wrong="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: &shared {TARGET: all, COPY: *shared}
    commands: [make]
""",
        mended="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: {TARGET: &target all, COPY: *target}
    commands: [make]
""",
    ),
    Explanation(
        code="E011",
        slug="too-many-values",
        title="The file has too many values once its aliases are written out",
        text="A spec has at most 600,000 values, its aliases written out, and aliases may not multiply what is written "
        "beyond all use: a few lines can otherwise fill any memory. Use fewer aliases, or split the workflow.",
        wrong=f"name: build\n{_BOMB}jobs:\n  build: {{image: alpine:latest, commands: *f}}\n",
        mended="name: build\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E012",
        slug="too-deep",
        title="Lists and mappings are nested too deep",
        text="Lists and mappings may be nested 100 levels deep, aliases written out. Data of that depth belongs into a "
        "file of the workspace, or into a text that a job reads as JSON.",
        wrong="name: build\njobs:\n  build:\n    image: alpine:latest\n    commands: "
        + "[" * 100
        + "]" * 100
        + "\n",
        mended="name: build\njobs:\n  build:\n    image: alpine:latest\n    commands: []\n",
    ),
    Explanation(
        code="E013",
        slug="number-too-large",
        title="A number does not fit into 64 bits",
        text="It would lose digits on its way. If it is a name, a version or a hash, put it in quotes.",
        wrong="name: build\nlabels: {build: 20261121105612345678901}\njobs:\n  build: {image: alpine:latest}\n",
        mended='name: build\nlabels: {build: "20261121105612345678901"}\njobs:\n  build: {image: alpine:latest}\n',
    ),
    Explanation(
        code="E014",
        slug="empty-file",
        title="The file is empty",
        text="There is nothing in it but perhaps comments. A spec needs at least `name` and `jobs`.",
        wrong="# The nightly build\n",
        mended="# The nightly build\nname: nightly\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E015",
        slug="wrong-merge",
        title="A merge key needs a mapping",
        text="After `<<` comes an alias of a mapping, a mapping, or a list of these. Here it is something else, which "
        "often means that the anchor stands one line too low.",
        wrong="""\
name: build
jobs:
  build:
    image: &base alpine:latest
    commands: [make]
  test:
    <<: *base
    image: alpine:latest
    commands: [make test]
""",
        mended="""\
name: build
jobs:
  build: &base
    image: alpine:latest
    commands: [make]
  test:
    <<: *base
    commands: [make test]
""",
    ),
    Explanation(
        code="E016",
        slug="unreadable-file",
        title="The file cannot be read",
        text="There is no such file, it may not be read, or the folder has no `.yaml` or `.yml` file in it. `orca "
        "validate` says so among its findings, so that one wrong name does not hide what is wrong with the other "
        "files.",
        wrong="orca validate no-such-file.yaml\n",
        mended="orca validate build.yaml\n",
        language="sh",
    ),
)
"""The explanations, by number."""
