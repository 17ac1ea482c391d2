"""Which activities a worker has under way, for whoever waits for their ends."""

from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class UnderWay(Interceptor):
    """Of all workers that have this interceptor together. May be read in any thread."""

    def __init__(self) -> None:
        self._names: dict[object, str] = {}

    @property
    def names(self) -> list[str]:
        """For people, in the order in which they began."""
        return list(self._names.values())

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002 - the SDK's name for it
    ) -> ActivityInboundInterceptor:
        """See `temporalio.worker.Interceptor`."""
        return _Inbound(next, self._names)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, names: dict[object, str]) -> None:
        super().__init__(inner)
        self._names = names

    async def execute_activity(
        self,
        input: ExecuteActivityInput,  # noqa: A002 - likewise
    ) -> Any:
        info, mark = activity.info(), object()
        self._names[mark] = f"'{info.activity_id}' of run '{info.workflow_id}'"
        try:
            return await super().execute_activity(input)
        finally:
            del self._names[mark]
