"""Whatever an index answers is a list of wheels or one line."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from typing import NoReturn

import pytest

from compat.builds.index import _installable, _supported
from compat.builds.page import PageError, parse
from tests.fuzz.damage import damaged, how_many

pytestmark = pytest.mark.slow

TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
NAMES = [
    f"torch-2.1{n}.0.dev2026042{n}+cpu-{TAG}-{TAG}-manylinux_2_28_x86_64.whl" for n in range(5)
]
HTML = (
    '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0">'
    "<base href='/whl/'></head><body><h1>Links for torch</h1>"
    + "".join(
        f'<a href="/f/{name.replace("+", "%2B")}#sha256={n:064x}">{name}</a><br/>\n'
        for n, name in enumerate(NAMES)
    )
    + "</body></html><!-- a time -->"
).encode()
JSON = json.dumps(
    {
        "meta": {"api-version": "1.1", "_last-serial": 1},
        "name": "torch",
        "versions": ["2.10.0"],
        "project-status": {"status": "active"},
        "files": [
            {
                "filename": name,
                "url": f"../f/{name}",
                "hashes": {"sha256": f"{n:064x}"},
                "requires-python": ">=3.10",
                "yanked": False,
                "size": 1,
                "upload-time": "2026-01-01T00:00:00Z",
                "core-metadata": {"sha256": "0"},
            }
            for n, name in enumerate(NAMES)
        ],
    }
).encode()
PIECES = [
    *(
        b"<a href='http://[bad'>x</a>",
        b"<a>",
        b"</a>",
        b"<base href='//[::'>",
        b"<!--",
        b"<![",
        b"<!",
    ),
    *(
        b"&#x110000;",
        b"&#xd800;",
        b"<script>",
        b"#sha256=",
        b"%00",
        b"\x00",
        b"\xff\xfe",
        b"\xed\xa0\x80",
    ),
    *(
        b'"\\ud800"',
        b'{"',
        b"[" * 5000,
        b"9" * 5000,
        b"1e999",
        b"NaN",
        b"null",
        b"-1",
        b"{}",
        b"true",
    ),
    *(
        b"2.0",
        b"99",
        b"1.99",
        b".".join([b"cp311"] * 250),
        b"-" * 100,
        b"../" * 50,
        b"+" + b"a" * 300,
    ),
    *(b"cu" + b"9" * 50, b"torch-", b".whl", b"http://x:999999/", b"javascript:", b"\r\n\r\n"),
]
KINDS = [
    "text/html",
    "text/html; charset=utf-8",
    "text/html; charset=nonsense",
    "application/vnd.pypi.simple.v1+html",
    "application/vnd.pypi.simple.v1+json",
    "text/plain",
]


def kind_of(page: bytes, number: int) -> str:
    """What a server says that it is: mostly the truth."""
    if number % 4 == 0:
        return KINDS[number // 4 % len(KINDS)]
    return KINDS[4] if page.startswith(b"{") else KINDS[number % 2]


# Of the processor's time; the slowest took a tenth of it.
MOST_S = 5.0


def test_any_page_is_a_list_of_wheels_or_one_line() -> None:
    def ring(*_: object) -> NoReturn:
        pytest.fail(f"an input takes more than {MOST_S:g} s")

    supported = _supported(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert supported
    ended: Counter[str] = Counter()
    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        for number, page in enumerate(damaged([HTML, JSON], PIECES, how_many())):
            line = ""
            signal.setitimer(signal.ITIMER_VIRTUAL, MOST_S)
            try:
                links = parse(page, kind_of(page, number), "http://127.0.0.1/whl/torch/")
                wheels = list(_installable(links, "nightly", "http://127.0.0.1/whl", "3.11"))
                ended["wheels" if wheels else "empty"] += 1
            except PageError as error:
                wheels, line = [], str(error)
                ended["line"] += 1
            assert len(line.splitlines()) <= 1
            assert len(line) < 300
            for wheel in wheels:
                assert "/" not in wheel.filename
                assert len(wheel.filename) <= 255
                assert wheel.sha256 == "" or int(wheel.sha256, 16) >= 0
                wheel.url.encode()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    print(dict(ended))
    # A test that only refuses, or only accepts, would prove little.
    assert min(ended[each] for each in ("wheels", "empty", "line")) > 0
