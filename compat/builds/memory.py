"""Remembers every nightly that an index ever listed here.

Nightlies leave the index after about two months, while their addresses go on working for longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from packaging.version import InvalidVersion, Version

from compat.builds.index import IndexedWheel
from compat.errors import UsageError
from compat.runs.decode import DamagedError, decode_text, read_json
from compat.runs.store import write_json

# Some eight years of four variants of one Python a day; of more, the oldest are forgotten.
_MOST = 12_000
_NONE = Version("0")


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A nightly's wheel as an index listed it.

    Attributes:
        sha256: What was once downloaded under its name; empty where nothing was yet.
        index: The index to install from.
        base: The channel's address, and the device it was listed for.
    """

    version: str
    filename: str
    url: str
    sha256: str
    index: str | None
    python: str
    base: str


class NightlyMemory:
    """What was seen of nightlies, in files.

    Args:
        own: The file that is written; what others wrote is not changed.
        others: Files that are read as well, such as those of a fresh clone.
    """

    def __init__(self, own: Path, *others: Path) -> None:
        self._own = own
        self._others = others

    def all(self) -> list[Remembered]:
        """By file name, oldest first; a file that is damaged is as good as none."""
        found: dict[tuple[str, str], Remembered] = {}
        for path in (*self._others, self._own):
            try:
                entries = read_json(path, list[Remembered]) if path.exists() else []
            except DamagedError:
                entries = []
            for each in entries:
                known = found.get((each.base, each.filename))
                sha256 = each.sha256 or (known.sha256 if known else "")
                found[each.base, each.filename] = replace(each, sha256=sha256)
        return sorted(found.values(), key=lambda each: (_version(each), each.base))

    def with_what_is_gone(
        self, base: str, listed: Sequence[IndexedWheel], python: str
    ) -> list[IndexedWheel]:
        """The wheels that a page lists, and behind them those that it listed once.

        What is listed is remembered.
        """
        known = {each.filename: each for each in self.all() if each.base == base}
        news = [_remembered(wheel, base) for wheel in listed]
        new = [each for each in news if not _is_known(each, known.get(each.filename))]
        if new:
            self.add(new)
        there = {wheel.filename for wheel in listed}
        return [
            *(
                replace(wheel, seen_sha256=known[wheel.filename].sha256)
                if wheel.filename in known
                else wheel
                for wheel in listed
            ),
            *(
                _wheel(each)
                for name, each in known.items()
                if name not in there and each.python == python
            ),
        ]

    def add(self, entries: Iterable[Remembered]) -> None:
        """Write more down."""
        found = {(each.base, each.filename): each for each in self.all()}
        for each in entries:
            known = found.get((each.base, each.filename))
            sha256 = each.sha256 or (known.sha256 if known else "")
            found[each.base, each.filename] = replace(each, sha256=sha256)
        kept = sorted(found.values(), key=lambda each: (_version(each), each.base))[-_MOST:]
        self._own.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._own, [asdict(each) for each in kept])

    def learn(self, hashes: Mapping[str, str]) -> None:
        """Keep the hashes, by file name, of wheels that were downloaded; the first one holds."""
        new = [
            replace(each, sha256=hashes[each.filename])
            for each in self.all()
            if not each.sha256 and hashes.get(each.filename)
        ]
        if new:
            self.add(new)


def check(path: Path) -> None:
    """Hold a file to what it has to be.

    Raises:
        UsageError: It is none of these.
    """
    for each in decode_text(path.read_bytes(), list[Remembered]):
        if _version(each) == _NONE:
            raise UsageError(f"{path}: expected a version, not {each.version[:40]!r}")


def _is_known(new: Remembered, known: Remembered | None) -> bool:
    return known is not None and replace(new, sha256=known.sha256) == known


def _version(each: Remembered) -> Version:
    try:
        return Version(each.version)
    except InvalidVersion:
        return _NONE


def _remembered(wheel: IndexedWheel, base: str) -> Remembered:
    return Remembered(
        version=str(wheel.version),
        filename=wheel.filename,
        url=wheel.url,
        sha256=wheel.sha256,
        index=wheel.index,
        python=wheel.python,
        base=base,
    )


def _wheel(each: Remembered) -> IndexedWheel:
    return IndexedWheel(
        version=_version(each),
        channel="nightly",
        filename=each.filename,
        url=each.url,
        sha256="",
        index=each.index,
        python=each.python,
        seen_sha256=each.sha256,
        is_listed=False,
    )
