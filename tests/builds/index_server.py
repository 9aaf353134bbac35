"""A loopback server with index pages in the layout of PyTorch's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep


@dataclass
class IndexServer:
    """Wheel file names by page, as in ``{"/nightly/cpu": [...]}``, and every path asked for.

    A name may end with ``#sha256=…``, which is then in its address alone.
    """

    pages: Mapping[str, list[str]]
    files: Mapping[str, bytes] = field(default_factory=dict)
    delay_s: float = 0.0
    status: int = 200
    asked: list[str] = field(default_factory=list)
    address: str = ""


@contextmanager
def serve(server: IndexServer) -> Iterator[IndexServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            sleep(server.delay_s)
            name = self.path.rpartition("/")[2]
            page = self.path.removesuffix("/").removesuffix("/torch")
            if server.status != 200:
                self._answer(server.status, "text/plain", b"out of order")
            elif name in server.files:
                self._answer(200, "application/octet-stream", server.files[name])
            elif page in server.pages:
                links = "".join(
                    f'<a href="/files/{name}">{name.partition("#")[0]}</a>\n'
                    for name in server.pages[page]
                )
                body = f"<!DOCTYPE html><html><body>{links}</body></html>"
                self._answer(200, "text/html", body.encode())
            elif self.path.removesuffix("/").endswith("/torch"):
                self._answer(403, "text/plain", b"Forbidden")
            else:
                # Of other packages; uv takes 403 for a broken index.
                self._answer(404, "text/plain", b"Not Found")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
