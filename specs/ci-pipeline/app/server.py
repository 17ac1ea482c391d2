"""The order book over HTTP: POST /orders writes one down, GET /orders?customer=NAME lists them."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from app.orders import Order, OrderBook
from app.prices import total

PRICES = {"apple": 50, "pear": 70}


def make_server(book: OrderBook, port: int = 0) -> ThreadingHTTPServer:
    """A server on the loopback address; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                price = total(int(body["quantity"]), PRICES[body["article"]])
            except (KeyError, ValueError) as error:
                self._answer(400, {"error": str(error)})
                return
            number = book.add(Order(body["customer"], body["article"], price))
            self._answer(201, {"number": number, "total": price})

        def do_GET(self) -> None:
            customer = parse_qs(urlsplit(self.path).query).get("customer", [""])[0]
            self._answer(200, [vars(order) for order in book.of(customer)])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
            """Requests are not worth a line in the test's log."""

        def _answer(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
