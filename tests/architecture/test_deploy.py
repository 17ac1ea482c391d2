"""The deployment in deploy/temporal holds together: what can be checked of it without pulling an image."""

import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "temporal"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\}")
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)


class Part(BaseModel):
    """A piece of a Compose file, by the names of the Compose specification; a name that is not there is an error."""

    model_config = ConfigDict(extra="forbid")


class Dependency(Part):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Healthcheck(Part):
    test: list[str] = Field(min_length=2)
    interval: str
    timeout: str
    retries: int
    start_period: str


class Build(Part):
    context: str
    dockerfile: str


class Logging(Part):
    driver: str
    options: dict[str, str]


class Service(Part):
    image: str
    restart: str
    logging: Logging
    build: Build | None = None
    depends_on: dict[str, Dependency] = {}
    environment: dict[str, str] = {}
    volumes: list[str] = []
    ports: list[str] = []
    healthcheck: Healthcheck | None = None
    entrypoint: list[str] = []
    user: str | None = None
    group_add: list[str] = []
    init: bool = False
    stop_grace_period: str | None = None

    @property
    def runs_once(self) -> bool:
        return self.restart.startswith("on-failure:")


class Compose(Part):
    services: dict[str, Service]
    volumes: dict[str, None]


def text_of(name: str) -> str:
    return (FOLDER / name).read_text()


@pytest.fixture(scope="module")
def compose() -> Compose:
    content: dict[str, Any] = yaml.safe_load(text_of("compose.yaml"))
    return Compose.model_validate({key: value for key, value in content.items() if not key.startswith("x-")})


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    lines = [line for line in text_of(".env.example").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text()))


def test_every_image_is_pinned_to_a_version(compose: Compose) -> None:
    images = {name: service.image for name, service in compose.services.items()}
    assert {name: i for name, i in images.items() if not re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?", i)} == {}


def test_what_is_deployed_is_what_runs_on_a_laptop(compose: Compose) -> None:
    cli = Path(sysconfig.get_path("scripts")) / "temporal"
    embedded = subprocess.run([cli, "--version"], check=True, capture_output=True, text=True).stdout
    versions = re.search(r"\(Server ([\d.]+), UI ([\d.]+)\)", embedded)
    assert versions
    server, ui = versions.groups()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {name: service.image for name, service in compose.services.items()} == {
        "postgresql": "postgres:15.14",
        "schema": f"temporalio/admin-tools:{server}",
        "temporal": f"temporalio/server:{server}",
        "namespace": f"temporalio/admin-tools:{server}",
        "ui": f"temporalio/ui:{ui}",
        "worker": f"orca-worker:{project}",
    }


def test_what_goes_on_is_watched_and_what_ends_is_not(compose: Compose) -> None:
    assert {
        name: (service.restart, service.healthcheck is not None) for name, service in compose.services.items()
    } == {
        "postgresql": ("unless-stopped", True),
        "schema": ("on-failure:5", False),
        "temporal": ("unless-stopped", True),
        "namespace": ("on-failure:5", False),
        "ui": ("unless-stopped", True),
        "worker": ("unless-stopped", True),
    }


def test_each_dependency_exists_and_can_reach_its_condition(compose: Compose) -> None:
    wrong: list[str] = []
    for name, service in compose.services.items():
        for target, dependency in service.depends_on.items():
            other = compose.services[target]
            fits = {
                "service_started": True,
                "service_healthy": other.healthcheck is not None,
                "service_completed_successfully": other.runs_once,
            }
            if not fits[dependency.condition]:
                wrong.append(f"{name} waits for {target} to be {dependency.condition}")
    assert wrong == []


def test_ports_are_open_to_this_host_alone(compose: Compose) -> None:
    published = [port for service in compose.services.values() for port in service.ports]
    assert [VARIABLE.sub("0", port) for port in published] == ["127.0.0.1:0:7233", "127.0.0.1:0:8080"]


def test_the_example_names_every_variable_with_its_default(example: dict[str, str]) -> None:
    used = {
        match["name"]: match["rest"]
        for match in VARIABLE.finditer(text_of("compose.yaml"))
        if match["how"] == ":-"
    }
    required = {match["name"] for match in VARIABLE.finditer(text_of("compose.yaml")) if match["how"] == ":?"}
    unguarded = [match[0] for match in VARIABLE.finditer(text_of("compose.yaml")) if not match["how"]]
    assert unguarded == []
    assert required == {"POSTGRES_PASSWORD", "DOCKER_GID", "NUM_HISTORY_SHARDS"}
    assert {name for name, value in example.items() if not value} == {"POSTGRES_PASSWORD", "DOCKER_GID"}
    # Compose itself reads the project's name.
    rest = {name: value for name, value in example.items() if name not in required | {"COMPOSE_PROJECT_NAME"}}
    assert rest == used


def test_what_is_mounted_exists(compose: Compose) -> None:
    sources = {
        VARIABLE.sub(lambda m: m["rest"], v).split(":")[0]
        for s in compose.services.values()
        for v in s.volumes
    }
    named = {source for source in sources if not source.startswith((".", "/"))}
    files = {source for source in sources if source.startswith(".")}
    assert named == set(compose.volumes)
    assert {file for file in files if not (FOLDER / file).exists()} == set()
    assert sources - named - files == {"/var/run/docker.sock"}


@pytest.mark.parametrize("script", ["schema.sh", "namespace.sh"])
def test_scripts_parse(script: str) -> None:
    assert subprocess.run(["sh", "-n", FOLDER / script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("lock", "holds", "lacks"),
    [
        (
            "requirements.lock",
            {"temporalio", "docker", "pydantic", "obstore", "typer"},
            {"pytest", "ruff", "pyright"},
        ),
        ("build.lock", {"hatchling"}, {"pytest", "temporalio"}),
    ],
)
def test_the_image_has_the_tested_versions_and_no_tools(lock: str, holds: set[str], lacks: set[str]) -> None:
    image, tested = pins(FOLDER / lock), pins(ROOT / "requirements.lock")
    assert {name: version for name, version in image.items() if tested.get(name) != version} == {}
    assert holds <= set(image)
    assert lacks & set(image) == set()


def test_the_dockerfile_copies_only_what_the_context_holds() -> None:
    assert (ROOT / "deploy/temporal/Dockerfile").is_file()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text_of("Dockerfile"), re.MULTILINE)
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!").removesuffix("/") for line in ignore if line.startswith("!")}
    sources = {re.sub(r"[a-z]+\.lock$", "*.lock", source) for line in copied for source in line.split()}
    assert sources == kept
