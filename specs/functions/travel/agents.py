"""The agent of the hotel search."""

from typing import Any


async def summarise_reviews(hotels: list[dict[str, Any]]) -> dict[str, Any]:
    """A sentence for each hotel."""
    return {"summary": {hotel["name"]: f"guests like the {hotel['name']}" for hotel in hotels}}
