"""E118.., W115..: services, networks and images."""

from typing import Final

from orchestrator.spec.explanations.explanation import Explanation

SERVICE_SHAPES: Final = (
    Explanation(
        code="E118",
        slug="unknown-service",
        title="A service is named that does not exist",
        text="A name in a job's `services` is that of one of the workflow's own `services`, or an image with a "
        "tag, and `services.NAME` in an expression is a service of the job itself. Nothing of that name is "
        "there: it is mistyped, or not declared, or the job does not list it.",
        wrong="""\
name: test
jobs:
  test: {image: alpine:latest, services: [database], commands: [make test]}
""",
        mended="""\
name: test
services:
  database: {image: "postgres:15", env: {POSTGRES_PASSWORD: secret}}
jobs:
  test: {image: alpine:latest, services: [database], commands: [make test]}
""",
    ),
    Explanation(
        code="E119",
        slug="same-service-name",
        title="Two services have the same name",
        text="A service is found under its name, which in a list is the last part of its image. Two of one name "
        "could not be told apart, nor could one of the job and one of the workflow. A mapping gives them "
        "names of your own.",
        wrong="""\
name: upgrade
jobs:
  upgrade: {image: alpine:latest, services: ["postgres:14", "postgres:15"], commands: [make upgrade]}
""",
        mended="""\
name: upgrade
jobs:
  upgrade:
    image: alpine:latest
    services:
      old: {image: "postgres:14", env: {POSTGRES_PASSWORD: secret}}
      new: {image: "postgres:15", env: {POSTGRES_PASSWORD: secret}}
    commands: [make upgrade]
""",
    ),
    Explanation(
        code="E120",
        slug="same-host-port",
        title="Two services publish the same port of the host",
        text="A port of the host belongs to one process at a time, so the second service could not start. Jobs "
        "reach services in their own network, by name, and need no port of the host: it is for people and "
        "programs outside.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:latest
    services:
      a: {image: "redis:7", ports: ["16379:6379"]}
      b: {image: "redis:7", ports: ["16379:6379"]}
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:latest
    services:
      a: {image: "redis:7", ports: ["16379:6379"]}
      b: {image: "redis:7", ports: [6379]}
    commands: [make test]
""",
    ),
    Explanation(
        code="E121",
        slug="services-without-network",
        title="A job without a network has services",
        text="With `network: none` a job reaches nothing, its services neither. `network: internal` lets it reach "
        "them and nothing else.",
        wrong="""\
name: test
jobs:
  test: {image: alpine:latest, network: none, services: ["redis:7"], commands: [make test]}
""",
        mended="""\
name: test
jobs:
  test: {image: alpine:latest, network: internal, services: ["redis:7"], commands: [make test]}
""",
    ),
    Explanation(
        code="E122",
        slug="shut-in-job-shares",
        title="A job that is shut in uses a service of the workflow",
        text="With `network: internal` a job reaches its services and nothing else. The network of the workflow's "
        "services leads outside, as other jobs may need that, and the job would be let out through it. A "
        "service of its own is in the job's own network.",
        wrong="""\
name: test
services: {cache: "redis:7"}
jobs:
  test: {image: alpine:latest, network: internal, services: [cache], commands: [make test]}
""",
        mended="""\
name: test
jobs:
  test: {image: alpine:latest, network: internal, services: ["redis:7"], commands: [make test]}
""",
    ),
    Explanation(
        code="E133",
        slug="wrong-image",
        title="A text cannot be the name of an image",
        text="An image's name is a path in lower case, with the registry's host before it if it has one and a tag or "
        "digest after it: `registry.local:5000/org/tool:1`. It has no `https://`. No engine takes this text, so the "
        "job or service could not start. What comes of `${{ }}` is known in a run only.",
        wrong="""\
name: test
jobs:
  test: {image: "https://registry.local/tools:1", commands: [make test]}
""",
        mended="""\
name: test
jobs:
  test: {image: "registry.local/tools:1", commands: [make test]}
""",
    ),
    Explanation(
        code="E134",
        slug="service-named-as-job",
        title="A service has the name of its job",
        text="In their network the services reach the job under its name, in lower case and with `-` for other signs, "
        "as the job reaches them under theirs. A service of the same name would be meant now and then.",
        wrong="""\
name: test
jobs:
  redis: {image: alpine:latest, services: ["redis:7"], commands: [make test]}
""",
        mended="""\
name: test
jobs:
  test-redis: {image: alpine:latest, services: ["redis:7"], commands: [make test]}
""",
    ),
)
SERVICE_WARNINGS: Final = (
    Explanation(
        code="W115",
        slug="unused-service",
        title="A service of the workflow is named by no job",
        text="The workflow's `services` run while jobs use them, and a job uses those that it names. This one is "
        "never started.",
        wrong="""\
name: test
services: {cache: "redis:7"}
jobs:
  test: {image: alpine:latest, commands: [make test]}
""",
        mended="""\
name: test
services: {cache: "redis:7"}
jobs:
  test: {image: alpine:latest, services: [cache], commands: [make test]}
""",
    ),
    Explanation(
        code="W116",
        slug="hidden-service-value",
        title="A job hides a value that was made up for its service",
        text="A well-known image in a list gets a generated password, and the job gets the same variable. An `env`"
        " of that name, the job's own or the workflow's, wins in the job alone: it would log in with another "
        "password. In a mapping the service is taken as it is written.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:latest
    services: ["postgres:15"]
    env: {POSTGRES_PASSWORD: secret}
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:latest
    services:
      postgres: {image: "postgres:15", env: {POSTGRES_PASSWORD: secret}}
    env: {POSTGRES_PASSWORD: secret}
    commands: [make test]
""",
    ),
    Explanation(
        code="W119",
        slug="host-port-at-a-time",
        title="Services that may run at the same time publish one port of the host",
        text="A host has each of its ports once. Variants of a job run side by side, and so does a job beside "
        "those that share a service of the workflow: where they meet on one host, the second service cannot start. "
        "Jobs reach services by name and need no port of the host.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:latest
    matrix: {version: [6, 7]}
    services:
      cache: {image: "redis:${{ matrix.version }}", ports: ["16379:6379"]}
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:latest
    matrix: {version: [6, 7]}
    services:
      cache: {image: "redis:${{ matrix.version }}", ports: [6379]}
    commands: [make test]
""",
    ),
    Explanation(
        code="W118",
        slug="dollar-of-compose",
        title="A health check writes `$$` as a Compose file does",
        text="Compose replaces `$NAME` in its files, so that a command which is to read a variable writes `$$NAME` "
        "there. Here a health check is taken as it is written. A shell makes its own process number of `$$`, and "
        "the check would ask for `123NAME`.",
        wrong="""\
name: test
jobs:
  test:
    image: alpine:latest
    services:
      db:
        image: "postgres:15"
        env: {POSTGRES_PASSWORD: secret}
        health_check: {test: "pg_isready -d $${POSTGRES_DB:-postgres}"}
    commands: [make test]
""",
        mended="""\
name: test
jobs:
  test:
    image: alpine:latest
    services:
      db:
        image: "postgres:15"
        env: {POSTGRES_PASSWORD: secret}
        health_check: {test: "pg_isready -d ${POSTGRES_DB:-postgres}"}
    commands: [make test]
""",
    ),
)
"""The explanations, by number."""
