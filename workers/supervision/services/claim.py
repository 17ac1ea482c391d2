"""What the store knows of a scope: which host has its services, and that they have been stopped."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from orchestrator.contract.services import ServiceScope, ServicesStopped
from orchestrator.errors import StoreError
from orchestrator.store.failures import ObjectNotFound
from workers.supervision.services.identity import folder_of
from workers.supervision.site import Site

log = logging.getLogger("orca.supervision")

_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class Claimed:
    """Whose the scope is. `fresh`: nobody had it before."""

    host: str
    fresh: bool


class Claim:
    """What the store knows of one scope. A store that fails is borne: services are worth more than the guard."""

    def __init__(self, site: Site, scope: ServiceScope) -> None:
        self._site = site
        self._host_key = f"{folder_of(scope)}host"
        self._end_key = f"{folder_of(scope)}stopped.json"

    async def take(self) -> Claimed:
        """Take the scope for this host, before anything of it is made, and say who has it: the first to ask."""
        host = self._site.host
        try:
            if await self._site.store.put_new(self._host_key, host.encode()):
                return Claimed(host, fresh=True)
        except StoreError as error:
            log.warning("the services cannot be claimed: %s", error)
            return Claimed(host, fresh=False)
        return Claimed(await self.holder() or host, fresh=False)

    async def holder(self) -> str | None:
        """The host that has claimed the scope, if one has."""
        try:
            return (await self._site.store.get_bytes(self._host_key)).decode()
        except ObjectNotFound:
            return None
        except StoreError as error:
            log.warning("who has the services cannot be read: %s", error)
            return None

    async def stopped(self) -> ServicesStopped | None:
        """How the services ended, where they have been stopped."""
        try:
            return ServicesStopped.model_validate_json(await self._site.store.get_bytes(self._end_key))
        except ObjectNotFound:
            return None
        except (StoreError, ValidationError) as error:
            log.warning("how the services ended cannot be read: %s", error)
            return None

    async def write_stopped(self, ended: ServicesStopped) -> str | None:
        """Note how the services ended; why that could not be, where it could not."""
        data = ended.model_dump_json().encode()
        attempt = 1
        while True:
            try:
                await self._site.store.put_bytes(self._end_key, data)
            except StoreError as error:
                if attempt == _ATTEMPTS:
                    return f"how the services ended is not in the store: {error}"
                attempt += 1
                await asyncio.sleep(self._site.limits.pause)
            else:
                return None
