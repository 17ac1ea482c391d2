"""Orders, kept in SQLite."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """One line of the book: who ordered what, and what it costs in cents."""

    customer: str
    article: str
    total: int


class OrderBook:
    """All orders. `path` is a file, or `:memory:`."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT, article TEXT, total INTEGER)"
        )

    def add(self, order: Order) -> int:
        """Writes an order down and returns its number."""
        with self._database:
            row = self._database.execute(
                "INSERT INTO orders (customer, article, total) VALUES (?, ?, ?)",
                (order.customer, order.article, order.total),
            )
        return int(row.lastrowid or 0)

    def of(self, customer: str) -> list[Order]:
        """A customer's orders, oldest first."""
        rows = self._database.execute(
            "SELECT customer, article, total FROM orders WHERE customer = ? ORDER BY id", (customer,)
        )
        return [Order(*row) for row in rows]

    def close(self) -> None:
        """Lets go of the database."""
        self._database.close()
