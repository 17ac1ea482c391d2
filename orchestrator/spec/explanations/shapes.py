"""E1..: keys, values, names, jobs and their order."""

from typing import Final

from orchestrator.spec.explanations.explanation import Explanation

_WIDE: Final = 1_001
"""Jobs that, each parallel with one that requires as many, add more than a million dependencies."""

SHAPES: Final = (
    Explanation(
        code="E101",
        slug="unknown-key",
        title="A key is not part of the language at this place",
        text="Keys are never ignored, as a mistyped `requires` would change what runs. The message names the key that "
        "was probably meant; also where another tool's word for it is known, as with `needs` and `steps`.",
        wrong="name: build\njobs:\n  build: {image: alpine:latest, comands: [make]}\n",
        mended="name: build\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E102",
        slug="wrong-value",
        title="A value has the wrong type or is out of range",
        text="The message says what may stand there. Texts are never turned into numbers or back, as `1.10` and `on` "
        "show what comes of it; durations and sizes are written as `5m` or `512m`.",
        wrong="name: build\ntimeout: soon\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
        mended="name: build\ntimeout: 10m\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E103",
        slug="unknown-job",
        title="A job is named that does not exist",
        text="`requires`, `after`, `parallel_with`, `artifacts_from`, transitions such as `on_failure`, branches of a "
        "choice and `jobs.NAME` in expressions name jobs of the same file, by the key that they have under `jobs`. "
        "Nothing of that name is there: the name is mistyped, or the job was renamed or removed.",
        wrong="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  deploy: {image: alpine:latest, requires: [biuld], commands: [make deploy]}
""",
        mended="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  deploy: {image: alpine:latest, requires: [build], commands: [make deploy]}
""",
    ),
    Explanation(
        code="E104",
        slug="missing-key",
        title="A key that must be there is missing",
        text="A spec has `name` and `jobs`; a container job has an `image`, its own or that of `defaults`, and a job "
        "without one is of another kind, which it says; a gate has a `prompt`; the long form of an entry of `requires` "
        "has `job`.",
        wrong="name: build\njobs:\n  build: {commands: [make]}\n",
        mended="name: build\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E105",
        slug="cycle",
        title="Jobs wait for each other in a cycle",
        text="None of them could ever start. The message names every job of the cycle in order, each waiting for the "
        "next, or started by it in a transition. Remove one of these steps.",
        wrong="""\
name: release
jobs:
  build: {image: alpine:latest, requires: [deploy], commands: [make]}
  test: {image: alpine:latest, requires: [build], commands: [make test]}
  deploy: {image: alpine:latest, requires: [test], commands: [make deploy]}
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
        code="E106",
        slug="unreachable-job",
        title="A job can never start",
        text="Whatever happens, it will not run: its conditions exclude each other, ask for an end that the job they "
        "name cannot have, or wait for a job that can itself never start.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make]}
  tell:
    image: alpine:latest
    requires: [{job: build, condition: skipped}]
    commands: [echo skipped]
""",
        mended="""\
name: build
params: {build: {type: boolean, default: true}}
jobs:
  build: {image: alpine:latest, if: "${{ params.build }}", commands: [make]}
  tell:
    image: alpine:latest
    requires: [{job: build, condition: skipped}]
    commands: [echo skipped]
""",
    ),
    Explanation(
        code="E107",
        slug="not-parallel",
        title="Two jobs cannot run in parallel, as one waits for the other",
        text="`parallel_with` gives a job the same starting point as another. Here one of the two waits for the other, "
        "directly or through further jobs. Remove one of the two wishes.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make]}
  lint: {image: alpine:latest, requires: [build], parallel_with: [build], commands: [make lint]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make]}
  lint: {image: alpine:latest, parallel_with: [build], commands: [make lint]}
""",
    ),
    Explanation(
        code="E108",
        slug="not-yet-known",
        title="This version of orca does not know it yet",
        text="The key, value or context belongs to the language, but this version of orca cannot do it. A newer one "
        "may; `orca --version` tells yours.",
        wrong="name: build\npriority: 5\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
        mended="name: build\njobs:\n  build: {image: alpine:latest, commands: [make]}\n",
    ),
    Explanation(
        code="E109",
        slug="wrong-name",
        title="A name is not allowed, or two differ only in case",
        text="Names of jobs, params, outputs, variables and fields begin with a letter or `_`, go on with letters, "
        "digits, `_` and `-`, and have at most 100 characters. Expressions find names in any case, so no two may "
        "differ in that alone.",
        wrong="name: build\njobs:\n  unit tests: {image: alpine:latest, commands: [make test]}\n",
        mended="name: build\njobs:\n  unit-tests: {image: alpine:latest, commands: [make test]}\n",
    ),
    Explanation(
        code="E110",
        slug="artifacts-not-upstream",
        title="Artifacts are taken from a job that is not upstream",
        text="They need not exist when this job starts. Wait for the other job, with `requires` or `after`, or with a "
        "job in between.",
        wrong="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make], artifacts: [dist]}
  scan: {image: alpine:latest, artifacts_from: [build], commands: [ls dist]}
""",
        mended="""\
name: build
jobs:
  build: {image: alpine:latest, commands: [make], artifacts: [dist]}
  scan: {image: alpine:latest, after: [build], artifacts_from: [build], commands: [ls dist]}
""",
    ),
    Explanation(
        code="E111",
        slug="param-contradiction",
        title="A param contradicts itself",
        text="Its default or an allowed value has another type, is not among the allowed values, or does not match the "
        "pattern; or the pattern is not a regular expression.",
        wrong="""\
name: deploy
params: {target: {enum: [staging, production], default: test}}
jobs:
  deploy: {image: alpine:latest, commands: ['echo "${{ params.target }}"']}
""",
        mended="""\
name: deploy
params: {target: {enum: [staging, production], default: staging}}
jobs:
  deploy: {image: alpine:latest, commands: ['echo "${{ params.target }}"']}
""",
    ),
    Explanation(
        code="E112",
        slug="parallel-with-finalizer",
        title="A job of the normal flow cannot run in parallel with one that runs after everything",
        text="A job with `on_complete` and without `requires` starts when all other jobs are done, so nothing of the "
        "normal flow can share its starting point.",
        wrong="""\
name: build
jobs:
  tidy: {image: alpine:latest, on_complete: always, commands: [rm -rf cache]}
  build: {image: alpine:latest, parallel_with: [tidy], commands: [make]}
""",
        mended="""\
name: build
jobs:
  tidy: {image: alpine:latest, on_complete: always, commands: [rm -rf cache]}
  build: {image: alpine:latest, commands: [make]}
""",
    ),
    Explanation(
        code="E113",
        slug="too-many-dependencies",
        title="`parallel_with` adds too many dependencies",
        text="A job that is parallel with another waits for all that the other waits for. Written out, these are more "
        "than a million. Put one job between the many and those that wait for them.",
        wrong="""\
name: wide
jobs:
  first-1: {image: alpine:latest}
  # … as many as first-1001
  join: {image: alpine:latest, requires: [first-1, …]}
  last-1: {image: alpine:latest, parallel_with: [join]}
  # … as many as last-1001
""",
        whole="name: wide\njobs:\n"
        + "".join(f"  first-{number}: {{image: alpine:latest}}\n" for number in range(_WIDE))
        + "  join: {image: alpine:latest, requires: ["
        + ", ".join(f"first-{number}" for number in range(_WIDE))
        + "]}\n"
        + "".join(
            f"  last-{number}: {{image: alpine:latest, parallel_with: [join]}}\n" for number in range(_WIDE)
        ),
        mended="""\
name: wide
jobs:
  first-1: {image: alpine:latest}
  join: {image: alpine:latest, requires: [first-1]}
  last-1: {image: alpine:latest, requires: [join]}
""",
    ),
    Explanation(
        code="E114",
        slug="misplaced-variant-key",
        title="A key of a matrix or a list stands where there is none, or twice",
        text="`include` and `exclude` belong to `matrix`, `batch_size` to `for_each`, `max_parallel` and `fail_fast` "
        "to either. A job has one of `matrix` and `for_each`, and each key is given once, inside the matrix or "
        "beside it.",
        wrong="name: test\njobs:\n  test: {image: alpine:latest, fail_fast: false, commands: [make test]}\n",
        mended="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpine }}
    matrix: {alpine: ["3.20", "3.21"]}
    fail_fast: false
    commands: [make test]
""",
    ),
    Explanation(
        code="E115",
        slug="exclude-without-axis",
        title="`exclude` names a key that is no axis",
        text="Such an entry could never take anything out. Every key of an entry of `exclude` is an axis of the "
        "matrix; what `include` adds cannot be excluded.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpine }}
    matrix:
      alpine: ["3.20", "3.21"]
      exclude: [{alpin: "3.20"}]
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:${{ matrix.alpine }}
    matrix:
      alpine: ["3.20", "3.21"]
      exclude: [{alpine: "3.20"}]
    commands: [make test]
""",
    ),
    Explanation(
        code="E116",
        slug="too-many-variants",
        title="A matrix or a list gives too many variants",
        text="One job may have 256 variants where the spec does not say otherwise. `max_variants` at the top level "
        "raises that, to 10000 at most. A product of many axes is rarely what is meant: `include` alone lists "
        "exactly those that are. Commands that have to be written out for each variant may have half a "
        "million characters in all.",
        wrong="""\
name: test
max_variants: 3
jobs:
  test:
    image: alpine:latest
    matrix: {alpine: ["3.20", "3.21"], shell: [ash, bash]}
    commands: ["make test-${{ matrix.alpine }}-${{ matrix.shell }}"]
""",
        mended="""\
name: test
max_variants: 4
jobs:
  test:
    image: alpine:latest
    matrix: {alpine: ["3.20", "3.21"], shell: [ash, bash]}
    commands: ["make test-${{ matrix.alpine }}-${{ matrix.shell }}"]
""",
    ),
    Explanation(
        code="E117",
        slug="no-variants",
        title="A matrix or a list gives no variant",
        text="An axis or a list has no values, or `exclude` takes out every combination, so there is nothing to run. A "
        "list that is known only in a run may be empty: the job then is skipped.",
        wrong="name: test\njobs:\n  test: {image: alpine:latest, for_each: [], commands: [make test]}\n",
        mended="""\
name: test
jobs:
  test: {image: alpine:latest, for_each: [unit, slow], commands: ["make test-${{ item }}"]}
""",
    ),
)
"""The explanations, by number."""
