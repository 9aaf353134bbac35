"""Reads the index pages that list torch's wheels (PEP 503 and 691)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

from packaging.tags import Tag, compatible_tags, cpython_tags, platform_tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from compat.builds.page import PROJECT, Link, PageError, read_links
from compat.builds.spec import OWN_PYTHON

# Where each of PyTorch's channels lies below the address of its index.
_CHANNEL_PATHS = {"stable": "", "test": "/test", "nightly": "/nightly"}

# A wheel's name becomes the name of a file.
_NAME = re.compile(r"[A-Za-z0-9_.+!-]+[.]whl")
# A wheel is for each of its Pythons, with each of its ABIs, on each of its platforms.
_MOST_TAGS = 1_000


class IndexUnavailableError(Exception):
    """An index did not answer, or not with a page."""


@dataclass(frozen=True, kw_only=True)
class IndexedWheel:
    """A torch wheel on an index that an interpreter of this machine can install.

    Attributes:
        python: The Python that it is for: ``3.12``.
        version: With its local part, where the file name carries one.
        sha256: As the page says; empty where it does not, as for nightlies.
        index: The index to install from, None for the default one.
        seen_sha256: Of what was once downloaded under this name, where the page says nothing.
        is_listed: Whether the index still lists it; its address may work for longer.
    """

    version: Version
    channel: str
    filename: str
    url: str
    sha256: str
    index: str | None
    python: str = OWN_PYTHON
    seen_sha256: str = ""
    is_listed: bool = True

    @property
    def variant(self) -> str:
        return self.version.local or ""

    @property
    def may_be_replaced(self) -> bool:
        """Whether another wheel may come under the same name unnoticed.

        A release candidate has the name of the one before it. A nightly has its day in its name.
        """
        return self.channel == "test" and not self.sha256


class Memory(Protocol):
    """Of nightlies: see :class:`compat.builds.memory.NightlyMemory`."""

    def with_what_is_gone(
        self, base: str, listed: Sequence[IndexedWheel], python: str
    ) -> list[IndexedWheel]: ...


class Indexes:
    """The default index and PyTorch's own; each page is asked for once.

    Below PyTorch's index each variant has a page of its own, and the page above them lists the
    wheels of all variants, which come and go.

    Args:
        pytorch: The address of PyTorch's index.
        timeout_s: Seconds that a page may take.
        python: The Python to find wheels for.
        memory: What is known of nightlies that are no longer listed.
    """

    def __init__(
        self,
        pytorch: str,
        timeout_s: float,
        python: str = OWN_PYTHON,
        memory: Memory | None = None,
    ) -> None:
        self._python = python
        self._memory = memory
        self._pytorch = pytorch
        self._timeout_s = timeout_s
        self._silent = ""
        self._pages: dict[str | None, tuple[IndexedWheel, ...]] = {}

    def default(self) -> tuple[IndexedWheel, ...]:
        """Released wheels on the default index.

        Raises:
            IndexUnavailableError: It did not answer.
        """
        return self._page(None, "stable", None)

    def channel(self, channel: str, device: str) -> tuple[IndexedWheel, ...]:
        """Wheels in a channel of PyTorch's index: for the CPU, or of all CUDA variants.

        Among nightlies are those that it listed once, as far as is remembered.

        Raises:
            IndexUnavailableError: It did not answer; after the first time it is not asked again.
        """
        if self._silent:
            raise IndexUnavailableError(self._silent)
        base = self._pytorch + _CHANNEL_PATHS[channel]
        try:
            wheels = self._page(f"{base}/cpu" if device == "cpu" else base, channel, base)
        except IndexUnavailableError as error:
            self._silent = str(error)
            raise
        wanted = "cpu" if device == "cpu" else "cu"
        found = [wheel for wheel in wheels if wheel.variant.startswith(wanted)]
        if channel == "nightly" and self._memory is not None:
            found = self._memory.with_what_is_gone(f"{base} {device}", found, self._python)
        return tuple(found)

    def _page(
        self, endpoint: str | None, channel: str, base: str | None
    ) -> tuple[IndexedWheel, ...]:
        """The wheels on the page at ``endpoint``, or on the default index's where it is None."""
        # Here, so that a PyTorch that is there already is probed without it.
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        if endpoint not in self._pages:
            try:
                links = read_links(endpoint or PYPI_SIMPLE_ENDPOINT, self._timeout_s)
            except PageError as error:
                raise IndexUnavailableError(str(error)) from None
            self._pages[endpoint] = tuple(_installable(links, channel, base, self._python))
        return self._pages[endpoint]


def _installable(
    links: Iterable[Link], channel: str, base: str | None, python: str
) -> Iterator[IndexedWheel]:
    """The wheels of torch among ``links`` that a Python on this machine can install."""
    supported = _supported(python)
    for link in links:
        tags_of_each = [part.count(".") + 1 for part in link.filename.split("-")[-3:]]
        if not _NAME.fullmatch(link.filename) or prod(tags_of_each) > _MOST_TAGS:
            continue
        try:
            name, version, _, tags = parse_wheel_filename(link.filename)
        except ValueError:
            # Also of a version with more digits than Python reads.
            continue
        if name == PROJECT and not link.is_yanked and supported & tags:
            yield IndexedWheel(
                version=version,
                channel=channel,
                filename=link.filename,
                url=link.url,
                sha256=link.sha256,
                index=base and f"{base}/{version.local}",
                python=python,
            )


def _supported(python: str) -> frozenset[Tag]:
    version = tuple(map(int, python.split(".")))
    platforms = list(platform_tags())
    interpreter = f"cp{version[0]}{version[1]}"
    return frozenset(
        {
            *cpython_tags(version, platforms=platforms),
            *compatible_tags(version, interpreter, platforms),
        }
    )
