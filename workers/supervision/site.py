"""What all tries of one worker share."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.store.store import Store
from workers.engine.interface import ContainerEngine
from workers.supervision.artifacts import Artifacts
from workers.supervision.identity import Namespace
from workers.supervision.images import Images
from workers.supervision.limits import Limits
from workers.supervision.removal import Remover
from workers.supervision.threads import Threads


@dataclass(frozen=True)
class Site:
    """The engine and the store, and what stands around them."""

    engine: ContainerEngine
    store: Store
    host: str
    namespace: Namespace
    limits: Limits
    threads: Threads
    images: Images
    artifacts: Artifacts
    remover: Remover
    service_key: Callable[[], bytes]
    """This host's own, for the values that it makes up for services; asked for when it is needed."""
