"""Whatever a server answers, reading a page ends, in little memory, with links or with one line."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import pytest

from compat.builds.index import Indexes, IndexUnavailableError, _installable
from compat.builds.page import Link, PageError, parse, read_links

TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
WHEEL = f"torch-2.15.0+cpu-{TAG}-{TAG}-any.whl"
JSON = "application/vnd.pypi.simple.v1+json"

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """A server that answers every request in this way; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Whoever was asking has gone.
            with suppress(ConnectionError):
                answer(self)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def page(body: bytes, kind: str = "text/html", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in {"Content-Type": kind, **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirect_to_itself(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()
    handler.wfile.write(gzip.compress(bytes(1 << 20)))


def drip(handler: BaseHTTPRequestHandler) -> None:
    page(b"<html>")(handler)
    while True:
        handler.wfile.write(b" ")
        sleep(0.05)


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        sleep(0.05)


BOMB = gzip.compress(bytes(1 << 30), 6)
LINK = f"<a href='x'>{WHEEL}</a>".encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (drip, "no whole answer within 6 s"),
        (drip_headers, "no whole answer within 6 s"),
        (page(BOMB, Content_Encoding="gzip"), "answered with more than 16 MB"),
        (page(gzip.compress(BOMB), Content_Encoding="gzip, gzip"), "expected gzip"),
        (page(b"no gzip", Content_Encoding="gzip"), "answered with what is no gzip"),
        (page(bytes(17 << 20)), "answered with more than 16 MB"),
        (page(b"{", JSON), "answered with a page that is none: JSONDecodeError"),
        (page(b"[" * 100_000, JSON), "answered with a page that is none: RecursionError"),
        (page(b"{}", JSON), "answered with a page that is none: ValidationError"),
        (page(b"<a href='http://[bad'>x</a>"), "answered with a page that is none: ValueError"),
        (page(LINK, "image/png"), "answered with 'image/png', which is no page of an index"),
        (redirect_to_itself, "leads elsewhere more than 5 times"),
    ],
)
def test_what_is_no_page_is_one_line(answer: Answer, problem: str) -> None:
    began = monotonic()
    with server(answer) as address, pytest.raises(PageError) as raised:
        read_links(address, 1)
    assert monotonic() - began < 60
    (line,) = str(raised.value).splitlines()
    assert problem in line
    assert len(line) < 300


@pytest.mark.slow
def test_a_page_is_read_packed_or_not() -> None:
    expected = [Link(filename=WHEEL, url="", sha256="", is_yanked=False)]
    for answer in (page(LINK), page(gzip.compress(LINK), Content_Encoding="gzip")):
        with server(answer) as address:
            found = read_links(address, 5)
            assert found == [Link(**{**vars_of(expected[0]), "url": f"{address}/torch/x"})]


def vars_of(link: Link) -> dict[str, object]:
    return {name: getattr(link, name) for name in ("filename", "url", "sha256", "is_yanked")}


@pytest.mark.slow
def test_a_page_of_a_large_index_is_read() -> None:
    """As many links as PyTorch's own page of all nightlies had, and twice as many again."""
    link = f'<a href="/whl/nightly/{WHEEL}#sha256={7:064x}">{WHEEL}</a><br/>\n'.encode()
    with server(page(link * 42_000)) as address:
        assert len(read_links(address, 5)) == 42_000


@pytest.mark.parametrize(
    ("version", "problem"),
    [("2.0", "another version of its pages"), ("1.99", ""), ("one", "a page that is none")],
)
def test_versions_of_pages(version: str, problem: str) -> None:
    html = f'<meta name="pypi:repository-version" content="{version}">'.encode() + LINK
    text = {"meta": {"api-version": version}, "name": "torch", "files": []}
    for content, kind in ((html, "text/html"), (json.dumps(text).encode(), JSON)):
        if not problem:
            parse(content, kind, "http://x/torch/")
            continue
        with pytest.raises(PageError, match=problem):
            parse(content, kind, "http://x/torch/")


@pytest.mark.parametrize(
    "filename",
    [
        "torch-2.15.0-{0}-{0}-{0}.whl".format(".".join(["any"] * 250)),
        f"torch-2.15.0-1/../../../x-{TAG}-{TAG}-any.whl",
        f"torch-2.15.0-{TAG}-{TAG}-any./../../x.whl",
        f"evil-2.15.0-{TAG}-{TAG}-any.whl",
        f"torch-{'9' * 5000}-{TAG}-{TAG}-any.whl",
        "torch-2.15.0.tar.gz",
    ],
)
def test_a_name_that_is_no_wheel_of_torch_is_passed_over(filename: str) -> None:
    links = [
        Link(filename=name, url="", sha256="", is_yanked=False)
        for name in (filename, "torch-2.15.0-py3-none-any.whl")
    ]
    (found,) = _installable(links, "stable", None, "3.11")
    assert found.filename == links[1].filename


@pytest.mark.slow
def test_an_index_that_answers_with_no_page_is_one_that_cannot_be_had() -> None:
    with server(page(b"{", JSON)) as address:
        indexes = Indexes(address, 1)
        for _ in range(2):
            with pytest.raises(IndexUnavailableError, match="a page that is none"):
                indexes.channel("nightly", "cpu")
