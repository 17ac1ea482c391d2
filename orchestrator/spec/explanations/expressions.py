"""E2..: what can be wrong with a `${{ }}`."""

from typing import Final

from orchestrator.spec.explanations.explanation import Explanation

EXPRESSIONS: Final = (
    Explanation(
        code="E201",
        slug="expression-syntax",
        title="An expression cannot be parsed",
        text="The language is that of GitHub Actions: texts stand in single quotes, with `''` for a quote in them, and "
        "`&&`, `||` and `!` are its logic. The place points into the `${{ }}`.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ git.ref = 'main' }}", commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ git.ref == 'main' }}", commands: [make]}
""",
    ),
    Explanation(
        code="E202",
        slug="unknown-context",
        title="An expression begins with a name that is no context",
        text="Values are read from contexts: `params` (or `inputs`), `env`, `jobs` (or `needs`), `matrix`, `item`, "
        "`run`, `git` (or `github`). A text belongs in single quotes.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, env: {BRANCH: "${{ branch }}"}, commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, env: {BRANCH: "${{ git.ref }}"}, commands: [make]}
""",
    ),
    Explanation(
        code="E203",
        slug="job-not-upstream",
        title="An expression reads a job that need not have ended",
        text="A job may read the jobs that it waits for, directly or through others; a job that runs after everything "
        "else may read all normal jobs; the workflow's `outputs` may read every job. Add the other job to "
        "`requires`, or to `after` where its failure does not matter.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make]}
  tell: {image: alpine:latest, env: {HOW: "${{ jobs.build.result }}"}, commands: [env]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make]}
  tell: {image: alpine:latest, after: [build], env: {HOW: "${{ jobs.build.result }}"}, commands: [env]}
""",
    ),
    Explanation(
        code="E204",
        slug="unknown-function",
        title="An expression calls a function that does not exist",
        text="There are GitHub Actions' functions and a few of orca's own, in any case. The message names the one that "
        "was probably meant.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ beginsWith(git.ref, 'v') }}", commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ startsWith(git.ref, 'v') }}", commands: [make]}
""",
    ),
    Explanation(
        code="E205",
        slug="wrong-arguments",
        title="A function has too many or too few arguments",
        text="`orca eval` tries a call out: `orca eval \"join(fromJSON('[1, 2]'), '-')\"`.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ startsWith(git.ref) }}", commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ startsWith(git.ref, 'v') }}", commands: [make]}
""",
    ),
    Explanation(
        code="E206",
        slug="unknown-param",
        title="An expression reads a param that is not declared",
        text="Every param is declared under `params`, so that a mistyped one is found here and on the command line. "
        "One with nothing after its name is an optional text.",
        wrong="""\
name: deploy
params: {target: {required: true}}
jobs:
  deploy: {image: alpine:latest, commands: ['echo "${{ params.target }} ${{ params.force }}"']}
""",
        mended="""\
name: deploy
params: {target: {required: true}, force: {type: boolean, default: false}}
jobs:
  deploy: {image: alpine:latest, commands: ['echo "${{ params.target }} ${{ params.force }}"']}
""",
    ),
    Explanation(
        code="E207",
        slug="text-beside-condition",
        title="Text beside `${{ }}` makes a condition always true",
        text="It turns the whole into text, and text that is not empty counts as true. Write the whole condition "
        "inside one `${{ }}`, or leave `${{ }}` out altogether.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ git.ref == 'main' }} && run.attempt == 1", commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, if: "${{ git.ref == 'main' && run.attempt == 1 }}", commands: [make]}
""",
    ),
    Explanation(
        code="E208",
        slug="context-without-values",
        title="The context or function has no values at this place",
        text="The workflow's own `env` is the same for all jobs and cannot read what single jobs left; a job's `name` "
        "can read only what tells its variants apart; services are known only to the job that they run beside, once "
        "they run, and the variables that they bring only to its commands; and only `if` and `unless` may ask how "
        "things stand (`success()`, `failure()`, `cancelled()`, `always()`).",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, env: {GOOD: "${{ success() }}"}, commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, env: {GOOD: "${{ run.status }}"}, commands: [make]}
""",
    ),
    Explanation(
        code="E209",
        slug="unsafe-command",
        title="A value could become code",
        text="In `commands`, what only a run knows reaches the shell as an environment variable, with its quotes put "
        "right: whoever chooses the value chooses no code. At some places that cannot be done, because another "
        "program would read the text as its own language. Give the value to the job as `env`, and let the program "
        "read it from there.",
        wrong="""\
name: greet
params: {who: {default: world}}
jobs:
  greet:
    image: python:3.11-slim
    shell: python
    commands: ['print("hello ${{ params.who }}")']
""",
        mended="""\
name: greet
params: {who: {default: world}}
jobs:
  greet:
    image: python:3.11-slim
    shell: python
    env: {WHO: "${{ params.who }}"}
    commands: ['import os; print("hello", os.environ["WHO"])']
""",
    ),
    Explanation(
        code="E210",
        slug="constant-fails",
        title="An expression of constants fails",
        text="It has no context in it, so its value is known before a run, and computing it fails. It would fail in "
        "every run.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, env: {FLAGS: "${{ fromJSON('[1,') }}"}, commands: [make]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, env: {FLAGS: "${{ join(fromJSON('[1, 2]')) }}"}, commands: [make]}
""",
    ),
    Explanation(
        code="E211",
        slug="variant-value-out-of-place",
        title="`matrix` or `item` is read where there is none",
        text="A job has `matrix` when it has the key `matrix`, and `item` when it has `for_each`. Its `if` and "
        "`unless` are asked once for the whole job, before it has variants, and the values of its matrix or list "
        "cannot depend on themselves.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpine }}
    matrix: {alpine: ["3.20", "3.21"]}
    if: ${{ matrix.alpine != '3.20' }}
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpine }}
    matrix: {alpine: ["3.20", "3.21"], exclude: [{alpine: "3.20"}]}
    commands: [make test]
""",
    ),
    Explanation(
        code="E212",
        slug="unknown-variant-value",
        title="An expression reads a value that no variant has",
        text="It would be empty in all of them. A value that only some variants have is no mistake: it is empty in the "
        "others, as at GitHub Actions.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpin }}
    matrix: {alpine: ["3.20", "3.21"]}
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpine }}
    matrix: {alpine: ["3.20", "3.21"]}
    commands: [make test]
""",
    ),
    Explanation(
        code="E213",
        slug="files-not-known",
        title="`hashFiles` cannot be computed before the run",
        text="The files are hashed when the run is submitted, as they are shipped then. So the spec needs a "
        "`workspace`, and the patterns must be texts, or come from a matrix or list that is written out. They are "
        "relative to the workspace, and `..` does not lead out of it.",
        wrong="""\
name: build
jobs:
  build:
    image: alpine:latest
    env: {KEY: "${{ hashFiles('**/package-lock.json') }}"}
    commands: [make]
""",
        mended="""\
name: build
workspace: .
jobs:
  build:
    image: alpine:latest
    env: {KEY: "${{ hashFiles('**/package-lock.json') }}"}
    commands: [make]
""",
    ),
    Explanation(
        code="E214",
        slug="unknown-variable",
        title="A variable of the run is not declared",
        text="What jobs `publish` and expressions read as `vars.NAME` stands under `vars` at the top level, with its "
        "first value, which may be null. The name is mistyped, or is one of the environment, read as `env.NAME`.",
        wrong="""\
name: release
vars: {address: null}
jobs:
  deploy:
    image: alpine:latest
    commands: [make deploy]
    publish: {address: eu.local}
outputs: {address: "${{ vars.adress || vars.address }}"}
""",
        mended="""\
name: release
vars: {address: null}
jobs:
  deploy:
    image: alpine:latest
    commands: [make deploy]
    publish: {address: eu.local}
outputs: {address: "${{ vars.address }}"}
""",
    ),
)
"""The explanations, by number."""
