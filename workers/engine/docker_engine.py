"""Docker Engine behind our interface: one method, one API call. Decides nothing, retries nothing.

Two clients: one that gives up on a silent engine, one without a limit for waiting, following and large
bodies.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

import requests
from docker.api.client import APIClient
from docker.errors import APIError, DockerException, create_api_error_from_http_exception
from docker.utils.utils import kwargs_from_env
from urllib3.exceptions import HTTPError

from workers.engine.capacity import EngineCapacity
from workers.engine.docker_convert import (
    LogDecoder,
    StreamDecoder,
    create_options,
    host_options,
    image_facts,
    label_filter,
    listed,
    observed,
    observed_network,
    unix_time,
)
from workers.engine.docker_errors import Kinds, translated, unreachable
from workers.engine.docker_registry import DockerRegistry
from workers.engine.docker_streams import Body, hang_up
from workers.engine.docker_times import DockerTimes
from workers.engine.failures import (
    ContainerGone,
    EngineFault,
    ExecTimeout,
    ImageNotFound,
    NameTaken,
    NetworkBusy,
    NetworkRefused,
    PathNotFound,
    PullFailed,
    StartFailed,
)
from workers.engine.interface import (
    MAX_EXEC_OUTPUT,
    ByteStream,
    ContainerSpec,
    ExecResult,
    ImageFacts,
    Interrupt,
    ListedContainer,
    LogEntry,
    NetworkSpec,
    ObservedContainer,
    ObservedNetwork,
)

ANSWER_SECONDS: Final = 60
"""How long the engine may be silent. Generous: creating and starting queue up on a busy host."""
_DEFAULT_ADDRESS: Final = "unix:///var/run/docker.sock"
_CHUNK: Final = 64 * 1024
_POOL: Final = 64
_ID_LENGTH: Final = 64
_UNCOMPRESSED: Final = {"Accept-Encoding": "identity"}
"""Else the engine gzips archives, which costs more than it saves on one host."""
_NO_SUCH_COMMAND: Final = (400, 500)
"""What versions of the engine answer where a command inside a container cannot be started."""
_GONE: Final = Kinds(not_found=ContainerGone)


class DockerEngine(DockerTimes, DockerRegistry):
    """`ContainerEngine` on Docker. Connects at the first call; safe to use from many threads.

    Args:
        address: None takes DOCKER_HOST and Docker's other variables, else its usual socket.
    """

    def __init__(self, address: str | None = None) -> None:
        settings: dict[str, Any] = {**kwargs_from_env()}
        if address is not None:
            settings["base_url"] = address
        self._settings = settings
        self.address: str = settings.get("base_url") or _DEFAULT_ADDRESS
        self._connecting = threading.Lock()
        self._clients: tuple[APIClient, APIClient] | None = None

    def close(self) -> None:
        """Let go of all connections. A later call connects again."""
        with self._connecting:
            clients, self._clients = self._clients or (), None
        for client in clients:
            client.close()

    def ping(self) -> str:
        """See `ContainerEngine`."""
        with translated(self.address, "cannot reach the engine"):
            self._quick.ping()
        return self.address

    def capacity(self) -> EngineCapacity:
        """See `ContainerEngine`."""
        with translated(self.address, "cannot ask the engine what its host has"):
            found = self._quick.info()
        return EngineCapacity(cpus=float(found["NCPU"]), memory=int(found["MemTotal"]))

    def inspect_image(self, image: str) -> ImageFacts:
        """See `ContainerEngine`."""
        kinds = Kinds(not_found=ImageNotFound, refused=ImageNotFound)
        with translated(self.address, f"cannot inspect image '{image}'", kinds):
            return image_facts(self._quick.inspect_image(image))

    def pull_image(self, image: str) -> None:
        """See `ContainerEngine`."""
        kinds = Kinds(PullFailed, PullFailed, PullFailed, PullFailed)
        with translated(self.address, f"image '{image}' could not be pulled", kinds):
            progress: Iterator[Any] = iter(self._patient.pull(image, stream=True, decode=True))
            for step in progress:
                if "error" in step:
                    raise PullFailed(f"image '{image}' could not be pulled: {step['error']}")

    def inspect(self, container: str) -> ObservedContainer | None:
        """See `ContainerEngine`."""
        try:
            with translated(self.address, f"cannot inspect container '{_short(container)}'", _GONE):
                return observed(self._quick.inspect_container(container))
        except ContainerGone:
            return None

    def create(self, spec: ContainerSpec) -> str:
        """See `ContainerEngine`."""
        kinds = Kinds(ImageNotFound, NameTaken, StartFailed, StartFailed)
        with translated(self.address, f"cannot create container '{spec.name}'", kinds):
            engine = self._quick
            host = engine.create_host_config(**host_options(spec, init=spec.init and self._has_init))
            joined = None
            if spec.network is not None and spec.aliases:
                endpoint = engine.create_endpoint_config(aliases=list(spec.aliases))
                joined = engine.create_networking_config({spec.network: endpoint})
            answer = engine.create_container(
                host_config=host, networking_config=joined, **create_options(spec)
            )
            return str(answer["Id"])

    def start(self, container: str) -> None:
        """See `ContainerEngine`."""
        kinds = Kinds(ContainerGone, StartFailed, StartFailed, StartFailed)
        with translated(self.address, f"cannot start container '{_short(container)}'", kinds):
            self._quick.start(container)

    def wait(self, container: str, *, interrupt: Interrupt) -> int:
        """See `ContainerEngine`."""
        with translated(self.address, f"cannot wait for container '{_short(container)}'", _GONE):
            response = self._request("POST", container, "wait", {})
            with response, interrupt.closing_with(lambda: hang_up(response)):
                answer = response.json()
        fault: str = (answer.get("Error") or {"Message": ""})["Message"]
        if fault:
            raise EngineFault(f"waiting for container '{_short(container)}' failed: {fault}")
        return int(answer["StatusCode"])

    def logs(
        self,
        container: str,
        *,
        follow: bool,
        since: str | None = None,
        tail: int | None = None,
        interrupt: Interrupt,
    ) -> Iterator[list[LogEntry]]:
        """See `ContainerEngine`."""
        params: dict[str, Any] = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow)}
        if since is not None:
            params["since"] = unix_time(since)
        if tail is not None:
            params["tail"] = tail
        with translated(self.address, f"cannot read the log of container '{_short(container)}'", _GONE):
            response = self._request("GET", container, "logs", params)
            decoder = LogDecoder()
            with response, interrupt.closing_with(lambda: hang_up(response)):
                for chunk in response.raw.stream(_CHUNK):
                    if entries := decoder.feed(chunk):
                        yield entries
            if entries := decoder.finish():
                yield entries

    def stop(self, container: str, *, grace: float) -> None:
        """See `ContainerEngine`."""
        with translated(self.address, f"cannot stop container '{_short(container)}'", _GONE):
            self._quick.stop(container, timeout=max(0, -int(-grace // 1)))

    def kill(self, container: str) -> None:
        """See `ContainerEngine`."""
        idle = Kinds(not_found=ContainerGone, conflict=ContainerGone)
        try:
            with translated(self.address, f"cannot kill container '{_short(container)}'", idle):
                self._quick.kill(container)
        except ContainerGone:
            return

    def remove(self, container: str) -> None:
        """See `ContainerEngine`."""
        # A conflict says that someone else is removing it right now.
        idle = Kinds(not_found=ContainerGone, conflict=ContainerGone)
        try:
            with translated(self.address, f"cannot remove container '{_short(container)}'", idle):
                self._quick.remove_container(container, v=True, force=True)
        except ContainerGone:
            return

    def exec(
        self, container: str, command: Sequence[str], *, timeout: float, interrupt: Interrupt
    ) -> ExecResult:
        """See `ContainerEngine`."""
        kinds = Kinds(ContainerGone, ContainerGone, StartFailed, StartFailed)
        with translated(self.address, f"cannot run a command in container '{_short(container)}'", kinds):
            run: str = self._quick.exec_create(container, list(command))["Id"]
            try:
                output = self._exec_output(run, timeout=timeout, interrupt=interrupt)
            except APIError as error:
                # The engine says so in its answer where the command cannot be started at all.
                if error.status_code not in _NO_SUCH_COMMAND:
                    raise
                output = error.explanation or str(error)
            ended: dict[str, Any] = self._quick.exec_inspect(run)
        code: int | None = ended.get("ExitCode")
        if ended.get("Running") or code is None:
            raise ContainerGone(f"container '{_short(container)}' ended while a command ran in it")
        return ExecResult(code, output)

    def _exec_output(self, run: str, *, timeout: float, interrupt: Interrupt) -> str:
        response = self._stream("POST", f"exec/{run}/start", json={"Detach": False, "Tty": False})
        late = threading.Event()

        def give_up() -> None:
            late.set()
            hang_up(response)

        timer = threading.Timer(timeout, give_up)
        decoder = StreamDecoder(MAX_EXEC_OUTPUT)
        timer.start()
        try:
            with response, interrupt.closing_with(lambda: hang_up(response)):
                try:
                    for chunk in response.raw.stream(_CHUNK):
                        decoder.feed(chunk)
                except (HTTPError, OSError, ValueError):
                    if not late.is_set():
                        raise
        finally:
            timer.cancel()
        if late.is_set():
            raise ExecTimeout(f"it took longer than {timeout:.3g} s", run)
        return decoder.text()

    def exec_runs(self, run: str) -> bool:
        """See `ContainerEngine`."""
        try:
            with translated(self.address, "cannot see whether a command still runs", _GONE):
                return bool(self._quick.exec_inspect(run)["Running"])
        except ContainerGone:
            return False

    def create_network(self, spec: NetworkSpec) -> str:
        """See `ContainerEngine`."""
        kinds = Kinds(NetworkRefused, NameTaken, NetworkRefused, NetworkRefused)
        with translated(self.address, f"cannot create network '{spec.name}'", kinds):
            answer = self._quick.create_network(
                spec.name,
                driver="bridge",
                check_duplicate=True,
                internal=spec.internal,
                labels=dict(spec.labels),
            )
            return str(answer["Id"])

    def inspect_network(self, network: str) -> ObservedNetwork | None:
        """See `ContainerEngine`."""
        try:
            with translated(self.address, f"cannot inspect network '{network}'", _GONE):
                return observed_network(self._quick.inspect_network(network))
        except ContainerGone:
            return None

    def connect_network(self, network: str, container: str) -> None:
        """See `ContainerEngine`."""
        # Docker says that it is forbidden where the container is in it already.
        kinds = Kinds(ContainerGone, StartFailed, NameTaken, StartFailed)
        action = f"cannot put container '{_short(container)}' into network '{network}'"
        try:
            with translated(self.address, action, kinds):
                self._quick.connect_container_to_network(container, network)
        except NameTaken:
            return

    def remove_network(self, network: str) -> None:
        """See `ContainerEngine`."""
        # Docker says that it is forbidden while endpoints are in it.
        kinds = Kinds(not_found=ContainerGone, refused=NetworkBusy)
        try:
            with translated(self.address, f"cannot remove network '{network}'", kinds):
                self._quick.remove_network(network)
        except ContainerGone:
            return

    def list_networks(self, labels: Mapping[str, str | None]) -> list[ObservedNetwork]:
        """See `ContainerEngine`."""
        with translated(self.address, "cannot list networks"):
            rows: list[dict[str, Any]] = self._quick.networks(filters={"label": label_filter(labels)})
            return [observed_network(row) for row in rows]

    def put_archive(self, container: str, path: str, chunks: Iterable[bytes]) -> None:
        """See `ContainerEngine`."""
        with translated(
            self.address,
            f"cannot write to '{path}' in container '{_short(container)}'",
            Kinds(not_found=PathNotFound),
        ):
            self._patient.put_archive(container, path, iter(chunks))

    def get_archive(self, container: str, path: str) -> ByteStream:
        """See `ContainerEngine`."""
        action = f"cannot read '{path}' in container '{_short(container)}'"
        with translated(self.address, action, Kinds(not_found=PathNotFound)):
            response = self._request("GET", container, "archive", {"path": path})
        return Body(response, self.address, action)

    def list_labelled(self, labels: Mapping[str, str | None]) -> list[ListedContainer]:
        """See `ContainerEngine`."""
        with translated(self.address, "cannot list containers"):
            rows: list[dict[str, Any]] = self._quick.containers(
                all=True, filters={"label": label_filter(labels)}
            )
            return [listed(row) for row in rows]

    def _request(
        self, method: str, container: str, verb: str, params: Mapping[str, Any]
    ) -> requests.Response:
        """A call whose body is read as it comes, which docker's own methods do not offer for all verbs."""
        return self._stream(method, f"containers/{quote(container, safe='')}/{verb}", params=params)

    def _stream(self, method: str, path: str, **options: Any) -> requests.Response:
        client = self._patient
        url = f"{client.base_url}/v{client.api_version}/{path}"
        limits = (ANSWER_SECONDS, None)
        response: requests.Response = client.request(
            method, url, headers=_UNCOMPRESSED, stream=True, timeout=limits, **options
        )
        try:
            response.raise_for_status()
        except requests.exceptions.HTTPError as error:
            with response:
                create_api_error_from_http_exception(error)
        return response

    # Typed as Any, since docker's stubs leave nearly all arguments and answers unknown.
    @property
    def _quick(self) -> Any:
        return self._connected()[0]

    @property
    def _patient(self) -> Any:
        return self._connected()[1]

    def _connected(self) -> tuple[APIClient, APIClient]:
        with self._connecting:
            if self._clients is None:
                self._clients = (self._client(ANSWER_SECONDS), self._client(None))
            return self._clients

    def _anew(self) -> AbstractContextManager[APIClient]:
        return closing(self._client(ANSWER_SECONDS, version=self._quick.api_version))

    def _client(self, timeout: int | None, version: str = "auto") -> APIClient:
        limit: Any = timeout
        try:
            return APIClient(version=version, timeout=limit, max_pool_size=_POOL, **self._settings)
        except DockerException as error:
            raise unreachable(self.address, error) from error

    @cached_property
    def _has_init(self) -> bool:
        """Whether the engine has the small init that passes signals on; some installations come without."""
        info: dict[str, Any] = self._quick.info()
        commit: dict[str, Any] = info.get("InitCommit") or {}
        return bool(info.get("InitBinary")) and commit.get("ID") != "N/A"


def _short(container: str) -> str:
    """An id as people know it; a name as it is."""
    return container[:12] if len(container) == _ID_LENGTH and "-" not in container else container
