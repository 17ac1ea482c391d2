"""What an order costs, in cents."""

from collections.abc import Mapping

DISCOUNT_FROM = 10
DISCOUNT_PERCENT = 5


def total(quantity: int, unit_price: int) -> int:
    """The price of `quantity` pieces; from ten pieces on it is five percent less, rounded down."""
    if quantity < 1:
        raise ValueError(f"an order needs at least one piece, not {quantity}")
    full = quantity * unit_price
    return full * (100 - DISCOUNT_PERCENT) // 100 if quantity >= DISCOUNT_FROM else full


def order_total(items: Mapping[str, int], prices: Mapping[str, int]) -> int:
    """The price of a whole order: pieces by article."""
    return sum(total(quantity, prices[article]) for article, quantity in items.items())
