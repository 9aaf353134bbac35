"""A loopback server with as much of GitHub's issues API as this project asks for."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "owner/name"
_PATH = re.compile(rf"/repos/{REPOSITORY}/issues(?:/(\d+))?(/comments)?")


@dataclass(frozen=True)
class Refusal:
    """What is answered instead."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "out of order"
    done: bool = False  # the request is carried out all the same


@dataclass
class GitHubServer:
    """Issues and comments in memory, and every request.

    ``refusals`` are used up by requests that change something, by any where ``refuse_reads`` is
    set; ``meanwhile`` happens right before an issue is created.
    """

    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    refuse_reads: bool = False
    page: int = 100
    labels: bool = True
    meanwhile: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    address: str = ""

    def add(self, title: str, body: str, *labels: str, state: str = "open") -> dict[str, Any]:
        issue = {
            "number": len(self.issues) + 1,
            "title": title,
            "body": body,
            "state": state,
            "labels": [{"name": label} for label in labels],
        }
        self.issues.append(issue)
        return issue

    @property
    def changes(self) -> list[str]:
        return [each for each in self.asked if not each.startswith("GET")]

    def open_titles(self) -> list[str]:
        return [each["title"] for each in self.issues if each["state"] == "open"]

    def answer(self, method: str, path: str, query: dict[str, str], data: Any) -> Any:
        found = _PATH.fullmatch(path)
        assert found, path
        number, comments = found.groups()
        if comments:
            texts = self.comments.setdefault(int(number), [])
            if method == "POST":
                texts.append(data["body"])
                return {"body": data["body"]}
            return [{"body": text} for text in texts]
        if number:
            assert method == "PATCH"
            issue = self.issues[int(number) - 1]
            issue.update(data)
            return issue
        if method == "POST":
            self.meanwhile()
            return self.add(data["title"], data["body"], *data["labels"] * self.labels)
        assert query["state"] == "all"
        wanted = {"name": query["labels"]}
        return [issue for issue in reversed(self.issues) if wanted in issue["labels"]]


@contextmanager
def serve(server: GitHubServer) -> Iterator[GitHubServer]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.asked.append(f"{self.command} {url.path.removeprefix(f'/repos/{REPOSITORY}')}")
            server.authorizations.add(self.headers["Authorization"])
            refusal = None
            if server.refusals and (server.refuse_reads or self.command != "GET"):
                refusal = server.refusals.pop(0)
            data = json.loads(text) if text else None
            if refusal is None or refusal.done:
                answer = server.answer(self.command, url.path, query, data)
            if refusal is not None:
                self._send(refusal.status, {"message": refusal.message}, refusal.headers)
            elif isinstance(answer, list):
                self._send_page(answer, url.path, url.query, int(query.get("page", 1)))
            else:
                self._send(201 if self.command == "POST" else 200, answer, {})

        do_GET = do_POST = do_PATCH = _handle

        def _send_page(self, items: list[Any], path: str, query: str, page: int) -> None:
            start, end = (page - 1) * server.page, page * server.page
            query = re.sub(r"&page=\d+", "", query)
            following = f'<{server.address}{path}?{query}&page={page + 1}>; rel="next"'
            self._send(200, items[start:end], {"Link": following} if items[end:] else {})

        def _send(self, status: int, data: Any, headers: dict[str, str]) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=[0.01])
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
