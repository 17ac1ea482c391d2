import json
import tempfile
import threading
import unittest
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from app.orders import Order, OrderBook
from app.server import make_server


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = str(Path(folder.name) / "orders.db")
        self.book = OrderBook(self.file)
        self.addCleanup(self.book.close)
        self.server = make_server(self.book)
        self.address = f"http://127.0.0.1:{self.server.server_port}/orders"
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def post(self, order: dict[str, object]) -> object:
        with urlopen(Request(self.address, json.dumps(order).encode(), method="POST"), timeout=10) as answer:
            return json.load(answer)

    def test_an_order_is_priced_kept_and_listed(self) -> None:
        self.assertEqual(
            self.post({"customer": "ada", "article": "pear", "quantity": 10}), {"number": 1, "total": 665}
        )
        with urlopen(f"{self.address}?customer=ada", timeout=10) as answer:
            self.assertEqual(json.load(answer), [{"customer": "ada", "article": "pear", "total": 665}])

    def test_orders_outlive_the_server(self) -> None:
        self.post({"customer": "ada", "article": "apple", "quantity": 1})
        again = OrderBook(self.file)
        self.addCleanup(again.close)
        self.assertEqual(again.of("ada"), [Order("ada", "apple", 50)])

    def test_an_unknown_article_is_refused(self) -> None:
        with self.assertRaises(HTTPError) as caught:
            self.post({"customer": "ada", "article": "plum", "quantity": 1})
        self.assertEqual(caught.exception.code, 400)
        caught.exception.close()
