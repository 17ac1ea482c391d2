"""Services on their way into the plan: names, well-known images, what is filled in, what expressions may read."""

import pytest

from orchestrator.compile import compile_text
from orchestrator.compile.known_services import KNOWN_SERVICES
from orchestrator.compile.services import NAME, image_name
from orchestrator.plan.file_hashes import calls_of
from orchestrator.plan.model import PLAN_VERSION, ContainerNode, Plan
from orchestrator.plan.parts import Resources
from orchestrator.plan.service_env import told_variables
from orchestrator.plan.service_model import HealthCheck, Port, Ready, Service
from tests.support.nodes import container


def plan_of(text: str) -> Plan:
    compiled = compile_text(f"name: n\n{text}", "spec.yaml")
    assert compiled.diagnostics == ()
    return compiled.plan


def job_of(services: str, more: str = "") -> ContainerNode:
    return container(plan_of(f"jobs: {{a: {{image: i, commands: [make], services: {services}{more}}}}}"), "a")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("postgres:15", "postgres"),
        ("postgres", "postgres"),
        ("registry.local:5000/org/postgres:15@sha256:abc", "postgres"),
        ("postgres@sha256:abc", "postgres"),
        ("registry.local:5000/postgres", "postgres"),
        ("postgres:${{ matrix.version }}", "postgres"),
        ("${{ params.registry }}/postgres:15", "postgres"),
        ("${{ 'a/b:c@d' }}/postgres:${{ 'x/y' }}", "postgres"),
        ("${{ params.image }}", ""),
        ("${{ params.image }}:15", ""),
        ("post${{ 'gres' }}:15", ""),
        ("${{ unclosed", ""),
    ],
)
def test_a_service_of_a_list_is_named_for_its_image(image: str, name: str) -> None:
    assert image_name(image) == name


def test_a_well_known_image_gets_what_it_needs_and_the_job_the_same() -> None:
    (found,) = job_of('["mirror.local/library/postgres:15"]').services
    assert found == Service(
        name="postgres",
        image="mirror.local/library/postgres:15",
        env={"POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres"},
        generated=("POSTGRES_PASSWORD",),
        shared_env=("POSTGRES_USER", "POSTGRES_DB"),
        health_check=HealthCheck(
            test=("CMD", "pg_isready", "-h", "127.0.0.1", "-U", "postgres", "-d", "postgres"),
            interval=5,
            timeout=5,
            retries=3,
            start_period=60,
            start_interval=1,
            given=("test", "interval", "timeout", "retries", "start_period", "start_interval"),
        ),
        ports=(Port(container=5432),),
    )
    assert told_variables(found) == (
        "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD",
    )  # fmt: skip


@pytest.mark.parametrize("name", KNOWN_SERVICES)
def test_every_well_known_image_stands_alone_without_a_tag(name: str) -> None:
    (found,) = job_of(f"[{name}]").services
    known = KNOWN_SERVICES[name]
    assert NAME.fullmatch(name)
    assert (found.name, found.image, found.ports) == (name, name, (Port(container=known.port),))
    assert not set(found.env) & set(found.generated)
    assert found.health_check.ready == Ready(tcp=known.port) or found.health_check.test is not None


def test_no_two_well_known_images_bring_the_same_variable() -> None:
    told = [
        variable for name in KNOWN_SERVICES for variable in told_variables(job_of(f"[{name}]").services[0])
    ]
    assert len(told) == len(set(told))


def test_an_unknown_image_of_a_list_is_started_as_it_is() -> None:
    assert job_of('["ghcr.io/org/mailhog:v1"]').services == (
        Service(name="mailhog", image="ghcr.io/org/mailhog:v1"),
    )


def test_a_mapping_is_taken_as_written() -> None:
    text, whole = job_of(
        "{postgres: 'postgres:15', db: {image: 'postgres:15', env: {A: 1.10}, command: 'serve \"${{ run.id }}\" c', "
        "entrypoint: [/bin/x], ports: ['127.0.0.2:1:2/udp'], tmpfs: {/data: 64m}, resources: {memory: 64m}, "
        "health_check: {ready: {http: {path: /up, port: 80}}, retries: 5}, start_timeout: 2m, required: false, "
        "artifact: true, pull: always}}"
    ).services
    assert text == Service(name="postgres", image="postgres:15")
    assert whole == Service(
        name="db",
        image="postgres:15",
        env={"A": "1.10"},
        command=("serve", "${{ run.id }}", "c"),
        entrypoint=("/bin/x",),
        ports=(Port(container=2, host=1, address="127.0.0.2", protocol="udp"),),
        tmpfs={"/data": "size=67108864"},
        resources=Resources(memory=64 * 2**20),
        health_check=HealthCheck(
            ready=Ready(http="/up", http_port=80), retries=5, given=("ready", "retries")
        ),
        start_timeout=120,
        required=False,
        artifact=True,
        pull="always",
    )


@pytest.mark.parametrize(
    ("written", "test"),
    [
        ("{test: pg_isready -q}", ("CMD-SHELL", "pg_isready -q")),
        ("{test: [CMD, pg_isready, -q]}", ("CMD", "pg_isready", "-q")),
        ("{test: [CMD-SHELL, pg_isready -q]}", ("CMD-SHELL", "pg_isready -q")),
        ("{test: [NONE]}", ("NONE",)),
        ("{disable: true}", ("NONE",)),
        ("{disable: false}", None),
        ("{ready: {log: ready}}", None),
    ],
)
def test_a_test_has_one_form(written: str, test: tuple[str, ...] | None) -> None:
    (found,) = job_of(f"{{x: {{image: 'x:1', health_check: {written}}}}}").services
    assert found.health_check.test == test


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("{}", 60),
        ("{health_check: {test: up, timeout: 5m, start_interval: 1m}}", 60),
        ("{health_check: {interval: 2s, retries: 5, start_period: 10s}}", 60),
        ("{health_check: {retries: 5}}", 150),
        ("{health_check: {interval: 1m}}", 180),
        ("{health_check: {start_period: 2m}}", 210),
        ("{health_check: {interval: 10s, retries: 12, start_period: 1m}}", 180),
        ("{health_check: {interval: 10s, retries: 12}, start_timeout: 5s}", 5),
    ],
)
def test_a_service_may_take_as_long_as_its_check_allows(written: str, seconds: float) -> None:
    (found,) = job_of(f"{{x: {{image: 'x:1', {written[1:-1]}}}}}").services
    assert found.start_timeout == seconds


@pytest.mark.parametrize(
    ("written", "tmpfs"),
    [
        ("[/a/, //b//c, /./d:1m]", {"/a": "", "/b/c": "", "/d": "size=1048576"}),
        ("{/a/./b/: 1m, /...: }", {"/a/b": "size=1048576", "/...": ""}),
    ],
)
def test_folders_have_one_spelling(written: str, tmpfs: dict[str, str]) -> None:
    (found,) = job_of(f"{{x: {{image: 'x:1', tmpfs: {written}}}}}").services
    assert found.tmpfs == tmpfs


def test_the_workflows_services_are_in_the_plan_where_jobs_name_them() -> None:
    compiled = compile_text(
        "name: n\nservices: {db: 'x:1', idle: 'y:1'}\n"
        "jobs: {a: {image: i, commands: [make], services: [redis, db]}, b: {image: i, commands: [make]}}\n",
        "spec.yaml",
    )
    assert [item.code for item in compiled.diagnostics] == ["W115"]
    assert compiled.plan.services == (Service(name="db", image="x:1"),)
    job = container(compiled.plan, "a")
    assert ([service.name for service in job.services], job.shared_services) == (["redis"], ("db",))


@pytest.mark.parametrize("network", ["default", "internal", "none"])
def test_a_job_says_its_network(network: str) -> None:
    plan = plan_of(f"jobs: {{a: {{image: i, commands: [make], network: {network}}}}}")
    assert container(plan, "a").network == network


def test_addresses_reach_commands_as_values_of_the_run() -> None:
    job = container(
        plan_of("jobs: {a: {image: i, services: [redis], commands: ['ping ${{ services.redis.host }}']}}"),
        "a",
    )
    assert job.commands == ('ping "${ORCA_VALUE_1}"',)
    assert job.env == {"ORCA_VALUE_1": "${{ services.redis.host }}"}


def test_what_a_service_is_costs_nothing_of_its_name_in_another_place() -> None:
    """Variables, matrix values and jobs may be called `services`, and services like keys of the language."""
    spec = """
env: {services: x}
jobs:
  services:
    image: i
    matrix: {services: [a]}
    services: {image: 'x:1', retry: {image: 'y:1', env: {resources: z}}}
    commands: ["echo ${{ services.retry.host }} ${{ matrix.services }}"]
"""
    assert [service.name for service in container(plan_of(spec), "services").services] == ["image", "retry"]


def test_starting_and_stopping_is_counted_for_each_variant_and_for_the_run() -> None:
    def events(text: str) -> int:
        return plan_of(
            f"services: {{db: 'x:1'}}\njobs: {{a: {{image: i, commands: [make], {text}}}}}"
        ).estimated_events

    shared = events("services: [db]")
    own = events("services: [db, redis]")
    assert own - shared == 12
    assert (
        events("services: [db, redis], for_each: [1, 2, 3]") - events("services: [db], for_each: [1, 2, 3]")
        == 36
    )


def test_an_older_interpreter_does_not_take_a_plan_with_services() -> None:
    assert plan_of("jobs: {a: {image: i, commands: [make]}}").version == PLAN_VERSION == 5


def test_retries_on_error_are_in_the_plan() -> None:
    job = plan_of("jobs: {a: {image: i, commands: [make], retry: {max_attempts: 2, on: [error]}}}").jobs["a"]
    assert job.retry.on == ("error",)


def test_files_may_choose_the_image_of_a_service() -> None:
    plan = plan_of(
        "workspace: .\nservices: {db: \"x:${{ hashFiles('a') }}\"}\n"
        "jobs: {a: {image: i, commands: [make], matrix: {f: [b]}, "
        'services: [db, "y:${{ hashFiles(matrix.f) }}"]}}'
    )
    assert calls_of(plan) == (("a",), ("b",))
