"""How instants are written in messages and records: RFC 3339 in UTC with milliseconds and a `Z`."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`. A naive `moment` counts as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """The instant that `text` names; digits beyond microseconds are dropped. Raises ValueError."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    digits = rest[:6].ljust(6, "0") if rest else "000000"
    return datetime.fromisoformat(f"{whole}.{digits}+00:00")
