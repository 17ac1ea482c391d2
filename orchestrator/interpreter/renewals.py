"""How often a run's shared services are started again because some of them had ended. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.contract.messages import FallenService
from orchestrator.contract.services import MAX_RENEWALS, MAX_RETURNS


@dataclass(frozen=True)
class Renewals:
    """Those of one run so far.

    A service that ends by itself would do so for ever, so that there are few of these. That an engine is restarted says
    nothing of the services.
    """

    own: int = 0
    """Since one had ended by itself, or was removed."""
    taken: int = 0
    """Since their engine had taken them along."""

    @property
    def left(self) -> bool:
        """Whether they may be started again once more."""
        return self.own < MAX_RENEWALS and self.taken < MAX_RETURNS

    def after(self, fallen: Sequence[FallenService]) -> "Renewals":
        """With one more start, for these; none where that is for another reason, such as a host that is lost."""
        if not fallen:
            return self
        taken = all(one.taken for one in fallen)
        return Renewals(own=self.own + (not taken), taken=self.taken + taken)
