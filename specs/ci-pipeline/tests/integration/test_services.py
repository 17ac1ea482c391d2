import os
import unittest

import asyncpg
import redis
from app.orders import Order


class PostgresTest(unittest.IsolatedAsyncioTestCase):
    """An order in PostgreSQL: what the job is told about the service is all that a client needs."""

    async def asyncSetUp(self) -> None:
        self.database = await asyncpg.connect(
            host=os.environ["POSTGRES_HOST"],
            port=int(os.environ["POSTGRES_PORT"]),
            user=os.environ["POSTGRES_USER"],
            password=os.environ["POSTGRES_PASSWORD"],
            database=os.environ["POSTGRES_DB"],
            timeout=10,
        )
        self.addAsyncCleanup(self.database.close)

    async def test_an_order_is_kept(self) -> None:
        await self.database.execute("CREATE TABLE orders (customer text, article text, total integer)")
        await self.database.execute("INSERT INTO orders VALUES ($1, $2, $3)", "ada", "pear", 665)
        row = await self.database.fetchrow("SELECT customer, article, total FROM orders")
        self.assertEqual(Order(*row), Order("ada", "pear", 665))

    async def test_it_is_a_postgresql_15(self) -> None:
        self.assertEqual(self.database.get_server_version().major, 15)


class RedisTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cache = redis.Redis(
            host=os.environ["REDIS_HOST"], port=int(os.environ["REDIS_PORT"]), socket_timeout=10
        )
        self.addCleanup(self.cache.close)

    def test_a_price_is_cached(self) -> None:
        self.cache.set("price:pear", 70)
        self.assertEqual(self.cache.get("price:pear"), b"70")

    def test_orders_are_counted(self) -> None:
        self.assertEqual([self.cache.incr("orders") for _ in range(3)], [1, 2, 3])
