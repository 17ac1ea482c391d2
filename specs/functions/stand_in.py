"""`python stand_in.py PORT`: the hotel search and the deployed application's health, as small JSON answers."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOTELS = [
    {"name": "Harbour", "price": 140},
    {"name": "Station", "price": 90},
    {"name": "Palace", "price": 420},
]


class Answers(BaseHTTPRequestHandler):
    """`/search?q=…` lists hotels; `/<application>/health` is well unless the application's name begins with `sick`."""

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        if url.path == "/search":
            self._answer(200, {"query": parse_qs(url.query).get("q", [""])[0], "hotels": HOTELS})
        elif url.path.endswith("/health"):
            sick = url.path.startswith("/sick")
            self._answer(503 if sick else 200, {"status": "sick" if sick else "well"})
        else:
            self._answer(404, {"error": f"nothing is at {url.path}"})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: what was asked stands in the run."""


def serve(port: int) -> ThreadingHTTPServer:
    """A server on the loopback; port 0 lets the system choose."""
    return ThreadingHTTPServer(("127.0.0.1", port), Answers)


if __name__ == "__main__":
    serve(int(sys.argv[1])).serve_forever()
