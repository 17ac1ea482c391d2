"""W1..: what runs, but hardly as it is meant."""

from typing import Final

from orchestrator.spec.explanations.explanation import Explanation

WARNINGS: Final = (
    Explanation(
        code="W101",
        slug="unset-env",
        title="An expression reads an `env` name that nothing sets",
        text="Neither the workflow nor the job has it under `env`, so it will be empty. What the image sets is not "
        "known before a run: read it in the shell, as `$NAME`.",
        wrong="""\
name: build
env: {TARGET: all}
jobs:
  build: {image: alpine:latest, commands: ["make ${{ env.TARGT }}"]}
""",
        mended="""\
name: build
env: {TARGET: all}
jobs:
  build: {image: alpine:latest, commands: ["make ${{ env.TARGET }}"]}
""",
    ),
    Explanation(
        code="W102",
        slug="always-skipped",
        title="A condition says no in every run",
        text="It reads nothing that a run could change, so the job will always be skipped: `failure()` in a job that "
        "requires none, say, asks nobody. Remove the job, or let the condition depend on a param or on the jobs that "
        "it requires.",
        wrong="name: build\njobs:\n  build: {image: alpine:latest, if: false, commands: [make]}\n",
        mended="""\
name: build
params: {build: {type: boolean, default: false}}
jobs:
  build: {image: alpine:latest, if: "${{ params.build }}", commands: [make]}
""",
    ),
    Explanation(
        code="W103",
        slug="reserved-env",
        title="A name that begins with `ORCA_` may be replaced",
        text="orca sets such names in each container, and what it sets replaces a value of the same name. Take another "
        "name.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, env: {ORCA_TARGET: all}, commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, env: {TARGET: all}, commands: [make]}
""",
    ),
    Explanation(
        code="W104",
        slug="unknown-property",
        title="An expression reads what a job, the run or git does not have",
        text="The output is not among those that the job lists, a matrix has fewer variants, or there is no such "
        "property. It will be empty. A job that lists no outputs may have any: it writes them into the file "
        "`$ORCA_OUTPUT`. `git` (or `github`) has what a work tree tells, so no event and no run number: what only the "
        "caller knows comes as a param.",
        wrong="""\
name: build
jobs:
  build:
    image: alpine:latest
    outputs: [version]
    commands: ['echo version=1 >> "$ORCA_OUTPUT"']
  tell:
    image: alpine:latest
    requires: [build]
    commands: ['echo "${{ jobs.build.outputs.versoin }}"']
""",
        mended="""\
name: build
jobs:
  build:
    image: alpine:latest
    outputs: [version]
    commands: ['echo version=1 >> "$ORCA_OUTPUT"']
  tell:
    image: alpine:latest
    requires: [build]
    commands: ['echo "${{ jobs.build.outputs.version }}"']
""",
    ),
    Explanation(
        code="W105",
        slug="always-true",
        title="A condition never stops the job",
        text="An `if` that is always true, or an `unless` that is always false, does nothing. Often a comparison lacks "
        "its second half: in `git.ref == 'a' || 'b'` the text 'b' counts as true. In a job that requires none, "
        "`success()` and `always()` ask nobody. Mend the condition, or remove it.",
        wrong="""\
name: deploy
jobs:
  deploy: {image: alpine:latest, if: "${{ git.ref == 'main' || 'release' }}", commands: [make]}
""",
        mended="""\
name: deploy
jobs:
  deploy: {image: alpine:latest, if: "${{ git.ref == 'main' || git.ref == 'release' }}", commands: [make]}
""",
    ),
    Explanation(
        code="W106",
        slug="unused-param",
        title="A param is declared and never read",
        text="No expression reads it, so its value changes nothing. Params do not reach a container by themselves: "
        "give them to a job's `env`, or write `${{ params.NAME }}` into its commands.",
        wrong="""\
name: deploy
params: {target: {default: staging}}
jobs:
  deploy: {image: alpine:latest, commands: ['echo "$target"']}
""",
        mended="""\
name: deploy
params: {target: {default: staging}}
jobs:
  deploy: {image: alpine:latest, commands: ['echo "${{ params.target }}"']}
""",
    ),
    Explanation(
        code="W107",
        slug="needless-dependency",
        title="A dependency is implied by others",
        text="Whenever the job's other dependencies are met, this one is too, so removing it changes nothing: not the "
        "order, not what runs, not the artifacts that the job gets. It only makes the workflow harder to read. A job "
        "that an expression of this one reads may be named as well, and gets no warning.",
        wrong="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  test: {image: alpine:latest, requires: [build], commands: [make test]}
  deploy: {image: alpine:latest, requires: [build, test], commands: [make deploy]}
""",
        mended="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  test: {image: alpine:latest, requires: [build], commands: [make test]}
  deploy: {image: alpine:latest, requires: [test], commands: [make deploy]}
""",
    ),
    Explanation(
        code="W108",
        slug="repeated-dependency",
        title="A job is named twice",
        text="`requires`, `after`, `parallel_with` or `artifacts_from` names the same job twice, or `after` names one "
        "that `requires` already has. The second name adds nothing; perhaps another job was meant.",
        wrong="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  test: {image: alpine:latest, commands: [make test]}
  deploy: {image: alpine:latest, requires: [build, build], commands: [make deploy]}
""",
        mended="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  test: {image: alpine:latest, commands: [make test]}
  deploy: {image: alpine:latest, requires: [build, test], commands: [make deploy]}
""",
    ),
    Explanation(
        code="W109",
        slug="constant-comparison",
        title="A comparison comes out the same in every run",
        text="One side can never have the value of the other: `jobs.NAME.result` is success, failure, cancelled or "
        "skipped; a boolean, a number or a list never equals a text that is no number, so that `params.force == "
        "'true'` is always false; and a param with an `enum` has no other value than these.",
        wrong="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  tell:
    image: alpine:latest
    after: [build]
    if: ${{ jobs.build.result == 'failed' }}
    commands: [echo oh no]
""",
        mended="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  tell:
    image: alpine:latest
    after: [build]
    if: ${{ jobs.build.result == 'failure' }}
    commands: [echo oh no]
""",
    ),
    Explanation(
        code="W112",
        slug="number-changes",
        title="A number of a matrix or a list does not read as it is written",
        text="YAML reads `3.10` as the number 3.1, and so the variant would have 3.1. Write it in quotes.",
        wrong="""\
name: test
jobs:
  test:
    image: python:${{ matrix.python }}-slim
    matrix: {python: [3.9, 3.10]}
    commands: [python --version]
""",
        mended="""\
name: test
jobs:
  test:
    image: python:${{ matrix.python }}-slim
    matrix: {python: ["3.9", "3.10"]}
    commands: [python --version]
""",
    ),
    Explanation(
        code="W113",
        slug="value-in-other-language",
        title="A value is part of a text in another language, or of a script",
        text="It reaches the program as it is, and can change what the program is asked for: a value with a quote in "
        "it can end an SQL text and begin another one. Pass it as data, in the way that the program has for that. What "
        "a command writes into a file that is a script, by its name or because the job runs it, is code too: give the "
        "value to the job as `env`, and let the script read it from there.",
        wrong="""\
name: edit
params: {version: {default: "1.0"}}
jobs:
  edit:
    image: alpine:latest
    commands: ["jq '.version = \\"${{ params.version }}\\"' package.json"]
""",
        mended="""\
name: edit
params: {version: {default: "1.0"}}
jobs:
  edit:
    image: alpine:latest
    commands: ["jq --arg version ${{ params.version }} '.version = $version' package.json"]
""",
    ),
    Explanation(
        code="W114",
        slug="same-artifact",
        title="Variants of a job keep the same artifact",
        text="A job that gets the artifacts of all variants restores them one after the other, in the order of the "
        "variants: where two keep the same path, the last one's replaces the others'. Let the path tell the variants "
        "apart. A pattern such as `/dist/*` gets no warning, as the names that it finds may differ.",
        wrong="""\
name: build
defaults: {image: alpine:latest}
jobs:
  build:
    matrix: {target: [linux, macos]}
    artifacts: [/tool]
    commands: ['echo "for ${{ matrix.target }}" > /tool']
  pack: {requires: [build], commands: [cat /tool]}
""",
        mended="""\
name: build
defaults: {image: alpine:latest}
jobs:
  build:
    matrix: {target: [linux, macos]}
    artifacts: ["/tool-${{ matrix.target }}"]
    commands: ['echo "for ${{ matrix.target }}" > /tool-${{ matrix.target }}']
  pack: {requires: [build], commands: [cat /tool-linux /tool-macos]}
""",
    ),
)
"""The explanations, by number."""
