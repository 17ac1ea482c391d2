"""What the hotel search calls beside HTTP."""

from typing import Any


def filter_price(hotels: list[dict[str, Any]], max_price: float) -> dict[str, Any]:
    """Those that cost no more than `max_price`."""
    kept = [hotel for hotel in hotels if hotel["price"] <= max_price]
    return {"filtered": kept, "names": [hotel["name"] for hotel in kept]}


def suggest_other_dates(query: str) -> dict[str, Any]:
    """What to try where nothing is left."""
    return {"suggestion": f"no hotel for '{query}' at this price; try a week later"}


def book(hotel: str) -> dict[str, Any]:
    """A booking's reference."""
    return {"reference": f"BOOKED-{hotel.upper()}"}
