"""What stands in `with` of a call of `http`. Pure."""

import difflib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.plan.durations import duration
from workers.calling.faults import CallFault

DEFAULT_TIMEOUT: Final = 60.0
DEFAULT_MAX_BYTES: Final = 1024 * 1024
HIGHEST_MAX_BYTES: Final = 64 * 1024 * 1024

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

Scalar = str | bool | int | float
Status = Annotated[int, Field(ge=100, le=599)] | Literal["1xx", "2xx", "3xx", "4xx", "5xx"]


class Asked(BaseModel):
    """One request. `expect` of None stands for 2xx."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    url: Annotated[str, Field(min_length=1, max_length=8000)]
    headers: dict[str, Scalar] = {}
    body: Any = None
    """Text is sent as it is, anything else as JSON."""
    query: dict[str, Scalar | list[Scalar] | None] = {}
    expect: Status | list[Status] | None = None
    timeout: Annotated[float, Field(gt=0)] = DEFAULT_TIMEOUT
    """Seconds for all of it, redirects and body included."""
    max_bytes: Annotated[int, Field(ge=0, le=HIGHEST_MAX_BYTES)] = DEFAULT_MAX_BYTES
    """Of the answer's body."""

    def expects(self, status: int) -> bool:
        """Whether an answer with that status is a success."""
        wanted = ["2xx"] if self.expect is None else self.expect
        entries = wanted if isinstance(wanted, list) else [wanted]
        return any(entry in (status, f"{status // 100}xx") for entry in entries)

    @property
    def expected(self) -> str:
        """What is expected, for people: `200 or 404`."""
        wanted = "2xx" if self.expect is None else self.expect
        return " or ".join(str(entry) for entry in (wanted if isinstance(wanted, list) else [wanted]))


def asked(arguments: Mapping[str, Any]) -> Asked:
    """The request that `with` describes.

    Raises:
        CallFault: it describes none, with all that is wrong.
    """
    given = dict(arguments)
    if isinstance(given.get("method"), str):
        given["method"] = given["method"].upper()
    if isinstance(given.get("timeout"), str):
        given["timeout"] = duration(given["timeout"])
    try:
        found = Asked.model_validate(given)
    except ValidationError as error:
        problems = {_problem(found["loc"], found["type"], found["msg"]): None for found in error.errors()}
        raise CallFault(f"`with` of `call: http` is wrong: {'; '.join(problems)}") from None
    for name, value in found.headers.items():
        if not _HEADER.fullmatch(name) or not _VALUE.fullmatch(str(value)):
            # Its value may be secret.
            raise CallFault(
                f"`with` of `call: http` is wrong: `headers.{name[:80]!r}` holds what HTTP does not allow"
            )
    return found


def _problem(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(place[0])
    if kind == "missing":
        return f"`{name}` is missing"
    if kind == "extra_forbidden":
        known = list(Asked.model_fields)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(known)}"
        return f"it has no `{name}` ({hint})"
    if name == "timeout":
        return "`timeout` must be seconds above 0, or a text such as 30s"
    if name == "expect":
        return "`expect` must be a status such as 200, a class such as 2xx, or a list of these"
    if name in ("headers", "query"):
        where = f"`{name}.{place[1]}`" if len(place) > 1 else f"`{name}`"
        return f"{where} must be text or a number" if len(place) > 1 else f"{where} must be a mapping"
    return f"`{name}`: {message[0].lower()}{message[1:]}"


def body_of(request: Asked) -> tuple[bytes | None, str | None]:
    """The bytes to send and their type; None where there are none."""
    if request.body is None:
        return None, None
    if isinstance(request.body, str):
        return request.body.encode(), "text/plain; charset=utf-8"
    return json.dumps(request.body, ensure_ascii=False).encode(), "application/json"
