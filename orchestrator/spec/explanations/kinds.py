"""E123..: gates, waits, choices, calls, nested workflows, transitions and variables; W117, W120."""

from typing import Final

from orchestrator.spec.explanations.explanation import Explanation

_PROVISION: Final = """\
name: provision
params: {region: {required: true}}
jobs:
  network: {image: alpine:latest, commands: ["echo ${{ params.region }}"]}
"""

KINDS: Final = (
    Explanation(
        code="E123",
        slug="two-kinds",
        title="A job is of two kinds at once",
        text="A job is told by the key that it carries: `image` with `commands`, `call`, `gate`, `wait`, `choice` or "
        "`workflow`. With two of them nobody can say which comes first. Make two jobs of it, one requiring the other.",
        wrong="name: release\njobs:\n  deploy: {gate: Go live?, image: alpine:latest, commands: [make deploy]}\n",
        mended="""\
name: release
jobs:
  confirm: {gate: Go live?}
  deploy: {image: alpine:latest, requires: [confirm], commands: [make deploy]}
""",
    ),
    Explanation(
        code="E124",
        slug="key-of-another-kind",
        title="A key does not fit this kind of job",
        text="What a container needs, such as `env` or `services`, means nothing to a gate, and nobody tries a gate "
        "again that was rejected. The message says which kinds of job have the key. In `defaults` such keys are left "
        "out silently, as those are for jobs of all kinds.",
        wrong="name: release\njobs:\n  confirm: {gate: Go live?, retry: 3}\n",
        mended="name: release\njobs:\n  confirm: {gate: Go live?}\n",
    ),
    Explanation(
        code="E125",
        slug="gate-contradicts-itself",
        title="A gate contradicts itself",
        text="A field to choose from needs its `options`, a default must be an answer that people could give, there "
        "must be as many approvers as approvals, and `approved_by`, `comment` and `decision` are outputs that every "
        "gate has. Where it is approved by its timeout, all required fields need a default.",
        wrong="name: release\njobs:\n  confirm:\n    gate: {prompt: Where to?, fields: {region: select}}\n",
        mended="""\
name: release
jobs:
  confirm:
    gate: {prompt: Where to?, fields: {region: {type: select, options: [eu, us]}}}
""",
    ),
    Explanation(
        code="E126",
        slug="cannot-be-started",
        title="A transition or a choice leads to a job that it cannot start",
        text="A job with `on_complete: always` and no `requires` runs when everything else is done, and a reminder "
        "when it is due. Neither waits for anybody to start it. Remove the transition, or what sets the job apart.",
        wrong="""\
name: release
jobs:
  deploy: {image: alpine:latest, commands: [make deploy], on_failure: [tidy]}
  tidy: {image: alpine:latest, on_complete: always, commands: [make clean]}
""",
        mended="""\
name: release
jobs:
  deploy: {image: alpine:latest, commands: [make deploy], on_failure: [tidy]}
  tidy: {image: alpine:latest, commands: [make clean]}
""",
    ),
    Explanation(
        code="E127",
        slug="cannot-remind",
        title="A job cannot be the reminder of a gate",
        text="A reminder is run again and again while its gate is open, and for nothing else: it waits for no "
        "other job, none waits for it, and it reminds of one gate. It may read what its gate may read.",
        wrong="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  confirm:
    requires: [build]
    gate: {prompt: Go live?, reminder: {every: 4h, job: ping}}
  ping: {image: alpine:latest, requires: [build], commands: [make ping]}
""",
        mended="""\
name: release
jobs:
  build: {image: alpine:latest, commands: [make]}
  confirm:
    requires: [build]
    gate: {prompt: Go live?, reminder: {every: 4h, job: ping}}
  ping: {image: alpine:latest, commands: [make ping]}
""",
    ),
    Explanation(
        code="E128",
        slug="nests-itself",
        title="A workflow nests itself",
        text="It would start runs without an end. The message names each spec on the way round. Repeat a part with "
        "`for_each` over a nested workflow instead. Ten levels are possible.",
        wrong="name: provision\njobs:\n  again: {workflow: ./spec.yaml}\n",
        mended="name: release\njobs:\n  again: {workflow: ./provision.yaml, with: {region: eu}}\n",
        beside={"provision.yaml": _PROVISION},
    ),
    Explanation(
        code="E129",
        slug="nested-not-readable",
        title="The spec that a job nests cannot be read",
        text="`workflow` names a file by its path from the folder of the spec that says so. There is none, or it "
        "cannot be read. A spec on the standard input has no folder, so it cannot nest others. What is wrong inside a "
        "nested spec is told with that file's own name and lines.",
        wrong="name: release\njobs:\n  cluster: {workflow: ./provison.yaml, with: {region: eu}}\n",
        mended="name: release\njobs:\n  cluster: {workflow: ./provision.yaml, with: {region: eu}}\n",
        beside={"provision.yaml": _PROVISION},
    ),
    Explanation(
        code="E130",
        slug="wrong-inputs",
        title="Inputs in `with` do not fit what they are given to",
        text="A nested workflow takes the params that it declares, with their types; those that are required must be "
        "there. The function `http` takes `url`, `method`, `headers`, `body`, `query`, `expect`, `timeout` and "
        "`max_bytes`. What is only known in a run is checked there.",
        wrong="name: release\njobs:\n  cluster: {workflow: ./provision.yaml, with: {regoin: eu, region: us}}\n",
        mended="name: release\njobs:\n  cluster: {workflow: ./provision.yaml, with: {region: us}}\n",
        beside={"provision.yaml": _PROVISION},
    ),
    Explanation(
        code="E131",
        slug="unordered-writers",
        title="Two jobs without an order publish the same variable",
        text="The last writer's value stays, and of jobs that run side by side nobody knows which is the last. Let one "
        "wait for the other, or publish two variables. Jobs that never run in the same run, as they lie on different "
        "branches of a choice or on what follows success and failure of one job, may share one.",
        wrong="""\
name: release
vars: {url: null}
jobs:
  eu: {image: alpine:latest, commands: [make eu], publish: {url: eu.local}}
  us: {image: alpine:latest, commands: [make us], publish: {url: us.local}}
  check: {image: alpine:latest, requires: [eu, us], commands: ["curl '${{ vars.url }}'"]}
""",
        mended="""\
name: release
vars: {url: null}
jobs:
  eu: {image: alpine:latest, commands: [make eu], publish: {url: eu.local}}
  us: {image: alpine:latest, after: [eu], commands: [make us], publish: {url: us.local}}
  check: {image: alpine:latest, requires: [eu, us], commands: ["curl '${{ vars.url }}'"]}
""",
    ),
    Explanation(
        code="E132",
        slug="default-not-last",
        title="A choice has branches after its default",
        text="The branches of a choice are asked in order and the first that holds is taken. A default always holds, "
        "so nothing after it could ever be reached.",
        wrong="""\
name: release
params: {production: {type: boolean, default: false}}
jobs:
  where:
    choice:
      - default: [deploy]
      - {when: "${{ params.production }}", then: [confirm]}
  deploy: {image: alpine:latest, commands: [make deploy]}
  confirm: {gate: Go live?}
""",
        mended="""\
name: release
params: {production: {type: boolean, default: false}}
jobs:
  where:
    choice:
      - {when: "${{ params.production }}", then: [confirm]}
      - default: [deploy]
  deploy: {image: alpine:latest, commands: [make deploy]}
  confirm: {gate: Go live?}
""",
    ),
)

KIND_WARNINGS: Final = (
    Explanation(
        code="W117",
        slug="unused-variable",
        title="A variable is never read",
        text="No expression reads it, so what jobs publish as it goes nowhere. In a spec that calls functions nothing "
        "is said, as these are given all variables.",
        wrong="""\
name: release
vars: {url: null}
jobs:
  deploy: {image: alpine:latest, commands: [make deploy], publish: {url: eu.local}}
""",
        mended="""\
name: release
vars: {url: null}
jobs:
  deploy: {image: alpine:latest, commands: [make deploy], publish: {url: eu.local}}
outputs: {url: "${{ vars.url }}"}
""",
    ),
    Explanation(
        code="W120",
        slug="frequent-reminders",
        title="A gate may remind more often than a run can keep",
        text="Each reminder is some fifteen events in the run's history, and Temporal ends a run whose history is too "
        "long. So nobody is reminded any more once it has 20,000 events, which the run's record tells as a warning of "
        "the gate; the gate itself stays open. Remind less often, or give the gate a `timeout`.",
        wrong="""\
name: release
jobs:
  confirm: {gate: {prompt: Go live?, reminder: {every: 1m, job: ping}}}
  ping: {image: alpine:latest, commands: [make ping]}
""",
        mended="""\
name: release
jobs:
  confirm: {gate: {prompt: Go live?, timeout: 8h, reminder: {every: 1h, job: ping}}}
  ping: {image: alpine:latest, commands: [make ping]}
""",
    ),
)
