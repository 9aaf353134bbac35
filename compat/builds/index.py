"""Reads the index pages that list torch's wheels (PEP 503 and 691)."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from packaging.tags import Tag, compatible_tags, cpython_tags, platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

# The Python that runs this project, and builds unless they are asked for under another one.
OWN_PYTHON = ".".join(platform.python_version_tuple()[:2])

# Where each of PyTorch's channels lies below the address of its index.
_CHANNEL_PATHS = {"stable": "", "test": "/test", "nightly": "/nightly"}


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
    """

    version: Version
    channel: str
    filename: str
    url: str
    sha256: str
    index: str | None
    python: str = OWN_PYTHON

    @property
    def variant(self) -> str:
        return self.version.local or ""

    @property
    def may_be_replaced(self) -> bool:
        """Whether another wheel may come under the same name unnoticed.

        A release candidate has the name of the one before it. A nightly has its day in its name.
        """
        return self.channel == "test" and not self.sha256


class Indexes:
    """The default index and PyTorch's own; each page is asked for once.

    Below PyTorch's index each variant has a page of its own, and the page above them lists the
    wheels of all variants, which come and go.

    Args:
        pytorch: The address of PyTorch's index.
        timeout_s: Seconds that a page may take.
        python: The Python to find wheels for.
    """

    def __init__(self, pytorch: str, timeout_s: float, python: str = OWN_PYTHON) -> None:
        self._python = python
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
        return tuple(wheel for wheel in wheels if wheel.variant.startswith(wanted))

    def _page(
        self, endpoint: str | None, channel: str, base: str | None
    ) -> tuple[IndexedWheel, ...]:
        if endpoint not in self._pages:
            packages = self._packages(endpoint)
            self._pages[endpoint] = tuple(_installable(packages, channel, base, self._python))
        return self._pages[endpoint]

    def _packages(self, endpoint: str | None) -> list[DistributionPackage]:
        """What the page at ``endpoint`` lists, or the default index's where it is None."""
        # Here, so that a PyTorch that is there already is probed without it.
        from pypi_simple import (
            PYPI_SIMPLE_ENDPOINT,
            NoSuchProjectError,
            PyPISimple,
            UnsupportedContentTypeError,
        )

        try:
            with PyPISimple(endpoint or PYPI_SIMPLE_ENDPOINT) as client:
                return client.get_project_page("torch", timeout=self._timeout_s).packages
        except NoSuchProjectError:
            return []
        except requests.HTTPError as error:
            # What PyTorch's host answers for a page that is not there.
            if error.response.status_code == requests.codes.forbidden:
                return []
            raise IndexUnavailableError(f"answered {error.response.status_code}") from None
        except requests.Timeout:
            raise IndexUnavailableError(f"no answer within {self._timeout_s:g} s") from None
        except (requests.RequestException, UnsupportedContentTypeError) as error:
            raise IndexUnavailableError(f"no answer ({type(error).__name__})") from None


def _installable(
    packages: list[DistributionPackage], channel: str, base: str | None, python: str
) -> Iterator[IndexedWheel]:
    """The wheels among ``packages`` that a Python on this machine can install."""
    supported = _supported(python)
    for package in packages:
        try:
            _, version, _, tags = parse_wheel_filename(package.filename)
        except (InvalidWheelFilename, InvalidVersion):
            continue
        if not package.is_yanked and supported & tags:
            yield IndexedWheel(
                version=version,
                channel=channel,
                filename=package.filename,
                url=package.url,
                sha256=(package.digests or {}).get("sha256", ""),
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
