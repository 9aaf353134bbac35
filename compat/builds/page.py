"""Reads one page of an index; as a program: ``python page.py ADDRESS SECONDS``.

A page comes from elsewhere, so it is read in a process of its own, which has little memory and
little time: nothing that a server sends, however slowly, and nothing that a parser makes of it can
stop or fill the process that asks.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urljoin

import msgspec

if TYPE_CHECKING:
    import requests

PROJECT = "torch"

# PyTorch's own page of all nightlies had some 14,000 links in 4 MB.
LARGEST_B = 16 << 20
LARGEST_MEMORY_B = 192 << 20
MOST_LINKS = 50_000
LONGEST_NAME = 255
MOST_REDIRECTS = 5
# For reading what was fetched; of the processor's time, so that a busy machine takes longer.
PROCESSOR_S = 10
# How many times as long the whole answer may take as its beginning.
_WHOLE = 6
# A process that does not even start is the machine's trouble, and ends all the same.
_PATIENCE_S = 120

_BLOCK_B = 1 << 14
_SHA256 = re.compile("[0-9a-f]{64}")


class PageError(Exception):
    """A page could not be had, or is none; the message says why in one line."""


class _TooLateError(Exception):
    """No kind of TimeoutError, which the libraries on the way would take for one of their own."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A file that a page lists.

    Attributes:
        sha256: Empty where the page gives none.
    """

    filename: str
    url: str
    sha256: str
    is_yanked: bool


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the process that reads a page says: its links, or why there are none."""

    links: Sequence[Link] = ()
    problem: str = ""


def read_links(endpoint: str, timeout_s: float) -> Sequence[Link]:
    """The files that the index at ``endpoint`` lists of torch; none where it has no such page.

    Args:
        endpoint: The address of the index.
        timeout_s: Seconds in which the answer must begin; it may take six times as many.

    Raises:
        PageError: It could not be read.
    """
    command = [sys.executable, "-P", __file__, endpoint, str(timeout_s)]
    patience_s = _WHOLE * timeout_s + _PATIENCE_S
    try:
        done = subprocess.run(command, capture_output=True, timeout=patience_s)
    except subprocess.TimeoutExpired:
        raise PageError(f"its page was not read within {patience_s:g} s") from None
    if done.returncode == -signal.SIGXCPU:
        raise PageError(f"its page was not read in {PROCESSOR_S} s of the processor's time")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise PageError(f"its page could not be read: {last or done.returncode}")
    answer = msgspec.json.decode(done.stdout, type=_Answer)
    if answer.problem:
        raise PageError(answer.problem)
    return answer.links


def main(endpoint: str, timeout_s: float) -> None:
    """Print the answer as JSON, within all limits."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (LARGEST_MEMORY_B, hard))
    try:
        answer = _Answer(links=fetch_links(endpoint, timeout_s))
    except PageError as error:
        answer = _Answer(problem=str(error))
    except MemoryError:
        answer = _Answer(problem=f"its page takes more than {LARGEST_MEMORY_B >> 20} MB to read")
    print(json.dumps(asdict(answer)))


def fetch_links(endpoint: str, timeout_s: float) -> list[Link]:
    """As :func:`read_links`, in this process; from its main thread."""
    # Here and below, so that a PyTorch that is there already is probed without these.
    import requests
    from pypi_simple import ACCEPT_ANY, PyPISimple
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    try:
        with PyPISimple(endpoint) as client, _deadline(_WHOLE * timeout_s):
            client.s.headers.update({"Accept": ACCEPT_ANY, "Accept-Encoding": "gzip"})
            response = _last_answer(client.s, client.get_project_url(PROJECT), timeout_s)
            # What PyTorch's host answers for a page that is not there is that it is forbidden.
            if response.status_code in {requests.codes.not_found, requests.codes.forbidden}:
                return []
            if response.status_code != requests.codes.ok:
                raise PageError(f"answered {response.status_code}")
            content = _content(response)
    except (requests.Timeout, ReadTimeoutError):
        raise PageError(f"no answer within {timeout_s:g} s") from None
    except _TooLateError:
        raise PageError(f"no whole answer within {_WHOLE * timeout_s:g} s") from None
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise PageError(f"no answer ({type(error).__name__})") from None
    return parse(content, response.headers.get("Content-Type", "text/html"), response.url)


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """End what is done here if it takes longer, whatever it is waiting for."""

    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise _TooLateError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _last_answer(session: requests.Session, url: str, timeout_s: float) -> requests.Response:
    """The answer to which ``url`` leads; of those that lead elsewhere nothing is read."""
    for _ in range(MOST_REDIRECTS + 1):
        response = session.get(url, timeout=timeout_s, stream=True, allow_redirects=False)
        target = session.get_redirect_target(response)
        if target is None:
            return response
        response.close()
        url = urljoin(url, target)
    raise PageError(f"leads elsewhere more than {MOST_REDIRECTS} times")


def _content(response: requests.Response) -> bytes:
    """The answer's body, unpacked no further than a page may be large."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    unpack = {
        "identity": lambda block, room: block,
        "gzip": zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress,
    }.get(encoding)
    if unpack is None:
        raise PageError(f"answered in the encoding {encoding[:40]!r}; expected gzip")
    content = bytearray()
    try:
        for block in response.raw.stream(_BLOCK_B, decode_content=False):
            content += unpack(block, LARGEST_B + 1 - len(content))
            if len(content) > LARGEST_B:
                raise PageError(f"answered with more than {LARGEST_B >> 20} MB")
    except zlib.error:
        raise PageError("answered with what is no gzip") from None
    return bytes(content)


def parse(content: bytes, content_type: str, url: str) -> list[Link]:
    """The files that a page lists (PEP 503, 691).

    Args:
        content: The page.
        content_type: What it is said to be.
        url: Where it is from; its own addresses may be relative to that.

    Raises:
        PageError: It is no such page.
    """
    from pypi_simple import ProjectPage, UnsupportedRepoVersionError
    from pypi_simple.html_stream import parse_links_stream  # reads in little memory

    kind, _, parameters = (part.strip().lower() for part in content_type.partition(";"))
    try:
        with warnings.catch_warnings():
            # A page of a later minor version can be read all the same.
            warnings.simplefilter("ignore")
            if kind == "application/vnd.pypi.simple.v1+json":
                packages = ProjectPage.from_json_data(json.loads(content), url).packages
                found = [(p.filename, p.url, p.digests, p.is_yanked) for p in packages]
            elif kind in {"application/vnd.pypi.simple.v1+html", "text/html"}:
                found = []
                charset = parameters.removeprefix("charset=") or "utf-8"
                for link in parse_links_stream([content], url, charset):
                    address, _, fragment = link.url.partition("#")
                    digests = dict([fragment.split("=", 1)]) if "=" in fragment else {}
                    found.append((link.text, address, digests, "data-yanked" in link.attrs))
            else:
                raise PageError(f"answered with {kind[:80]!r}, which is no page of an index")
    except UnsupportedRepoVersionError as error:
        raise PageError(f"answered with another version of its pages: {_line(error)}") from None
    except (ValueError, LookupError, AssertionError, RecursionError) as error:
        raise PageError(f"answered with a page that is none: {_line(error)}") from None
    if len(found) > MOST_LINKS:
        raise PageError(f"lists {len(found)} files; expected at most {MOST_LINKS}")
    return [
        Link(
            filename=filename,
            url=address,
            sha256=sha256 if _SHA256.fullmatch(sha256 := digests.get("sha256", "")) else "",
            is_yanked=is_yanked,
        )
        for filename, address, digests, is_yanked in found
        if len(filename) <= LONGEST_NAME and (filename + address).isprintable()
    ]


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
