"""The demo's pager: `python -m deploy.demo.pager PORT` takes pages on loopback and prints them."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pager(BaseHTTPRequestHandler):
    """Takes a page for whoever the path names."""

    def do_POST(self) -> None:
        """Print the page; it holds no name, only the severity and a link."""
        length = min(int(self.headers.get("Content-Length", "0")), 65_536)
        body = json.loads(self.rfile.read(length) or b"{}")
        print(json.dumps({"to": self.path.strip("/"), **body}), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: each page is printed once."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Pager).serve_forever()
