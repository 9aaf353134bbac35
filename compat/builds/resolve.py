"""From a spec to one exact wheel or environment."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from compat.builds.adopted import release_in
from compat.builds.index import IndexedWheel, Indexes, IndexUnavailableError
from compat.builds.spec import OWN_PYTHON, Kind, Spec
from compat.errors import UsageError
from compat.runs.ids import BuildId


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What specs resolved to: a wheel, or an interpreter, or the reason why neither.

    Attributes:
        specs: All that resolved to this very wheel or interpreter, as typed.
        release: The one that the interpreter's environment holds, just as it was released.
        note: What stands in for what, and why.
        problem: Why nothing was found; empty otherwise.
    """

    specs: tuple[Spec, ...]
    wheel: IndexedWheel | None = None
    python: Path | None = None
    release: Version | None = None
    note: str = ""
    problem: str = ""

    def id(self, device: str) -> BuildId:
        """How cells and people name it on a device."""
        if self.wheel is not None:
            python = "" if self.wheel.python == OWN_PYTHON else self.wheel.python
            return BuildId.of(str(self.wheel.version), device, python)
        if self.release is not None:
            return BuildId.of(str(self.release), device)
        if self.python is not None:
            # The folder of the environment: /path/to/venv/bin/python is local-venv.
            return BuildId.of(f"local-{self.python.absolute().parent.parent.name}", device)
        return BuildId.of(str(self.specs[0]), device)

    @property
    def channel(self) -> str:
        """Where it comes from; empty where nothing was found."""
        if self.wheel is not None:
            return self.wheel.channel
        if self.release is not None:
            return "stable"
        return "local" if self.python is not None else ""


def resolve(specs: Sequence[Spec], indexes: Indexes, device: str) -> list[Resolution]:
    """One resolution for each distinct wheel or interpreter, in the order of ``specs``.

    Raises:
        UsageError: An index that answered has never released what a spec asks for.
    """
    resolver = _Resolver(indexes, device)
    merged: dict[object, Resolution] = {}
    for spec in specs:
        found = resolver.resolve(spec)
        same = found.wheel.url if found.wheel else found.python or spec
        known = merged.get(same)
        if known is None:
            merged[same] = found
        else:
            merged[same] = replace(
                known,
                specs=(*known.specs, *(each for each in found.specs if each not in known.specs)),
                note=known.note or found.note,
            )
    return _apart(list(merged.values()), device)


def _apart(resolutions: list[Resolution], device: str) -> list[Resolution]:
    """Those that were there go by their folders where another one goes by the same release."""
    ids = [each.id(device) for each in resolutions]
    return [
        replace(each, release=None, note="")
        if each.release is not None and ids.count(name) > 1
        else each
        for each, name in zip(resolutions, ids, strict=True)
    ]


def between(
    first: IndexedWheel | None, last: IndexedWheel | None, indexes: Indexes, device: str
) -> list[IndexedWheel]:
    """``first``, the wheels of newer builds up to ``last``, and ``last``; oldest first.

    They are of the channels that these two are of: releases, nightlies or both. Where one of the
    two is None, all that are older, or newer, than the other one are among them.

    Raises:
        IndexUnavailableError: The index of a channel did not answer.
    """
    resolver = _Resolver(indexes, device)
    ends = [each for each in (first, last) if each is not None]
    newest: dict[str, IndexedWheel] = {}
    for channel in dict.fromkeys(end.channel for end in ends):
        for wheel in resolver.listed(channel):
            public = wheel.version.public
            if all(public != end.version.public for end in ends) and (
                public not in newest or newest[public].version < wheel.version
            ):
                newest[public] = wheel
    inside = [
        wheel
        for wheel in newest.values()
        if (first is None or first.version < wheel.version)
        and (last is None or wheel.version < last.version)
    ]
    inside.sort(key=lambda wheel: wheel.version)
    return [*([first] if first else []), *inside, *([last] if last else [])]


def stable_beside(resolutions: Sequence[Resolution], indexes: Indexes) -> str | None:
    """The spec of the release to compare builds with; None where one is among them already.

    For builds that are no releases that is the newest release, for a single release the newest one
    of the series before.

    Raises:
        IndexUnavailableError: The index did not answer.
    """
    found = [each for each in resolutions if not each.problem]
    releases = {each.wheel.version for each in found if each.wheel and each.channel == "stable"}
    if not found or len(releases) > 1 or (releases and len(found) > len(releases)):
        return None
    known = [wheel.version for wheel in indexes.default() if not wheel.version.is_prerelease]
    if releases:
        (only,) = releases
        known = [each for each in known if each.release[:2] < only.release[:2]]
    return f"=={max(known).public}" if known else None


class _Resolver:
    def __init__(self, indexes: Indexes, device: str) -> None:
        self._indexes = indexes
        self._device = device
        self._newest_cuda = _driver_cuda() if device == "cuda" else None

    def resolve(self, spec: Spec) -> Resolution:
        try:
            match spec.kind:
                case Kind.PYTHON:
                    return _adopted(spec)
                case Kind.SERIES:
                    return self._released(spec, lambda version: _series(version) == spec.value)
                case Kind.EXACT:
                    return self._exact(spec)
                case Kind.NIGHTLY:
                    return self._nightly(spec)
                case Kind.DEV | Kind.RC:
                    return self._pre_release(spec)
        except IndexUnavailableError as error:
            return Resolution(specs=(spec,), problem=f"the index for it is not reachable: {error}")

    def _released(self, spec: Spec, wanted: Callable[[Version], bool]) -> Resolution:
        """The newest release; for a CPU its own variant, where PyTorch's index answers.

        Raises:
            UsageError: The default index answered and lists no such release.
        """
        wheel = self._newest_release(wanted)
        if wheel is None:
            released = sorted({each.version for each in self._indexes.default()})
            raise UsageError(
                f"no build matches {spec.text!r}: released on this index, for this Python, are "
                f"{_series(released[0])} … {released[-1]}"
                if released
                else f"no build matches {spec.text!r}: this index has no torch for this Python"
            )
        return Resolution(specs=(spec,), wheel=wheel)

    def _newest_release(self, wanted: Callable[[Version], bool]) -> IndexedWheel | None:
        for source in (self._own_variants, self._indexes.default):
            found = [
                wheel
                for wheel in source()
                if not wheel.version.is_prerelease and wanted(wheel.version)
            ]
            if found:
                return _newest(found)
        return None

    def _own_variants(self) -> tuple[IndexedWheel, ...]:
        """Releases in the CPU variant, if that is what the device wants and they can be had."""
        if self._device != "cpu":
            return ()
        try:
            return self._indexes.channel("stable", self._device)
        except IndexUnavailableError:
            return ()

    def _exact(self, spec: Spec) -> Resolution:
        version = Version(spec.value)

        def wanted(each: Version) -> bool:
            return each == version or each.public == str(version)

        if version.is_prerelease:
            return self._listed(spec, "nightly" if version.is_devrelease else "test", wanted)
        if self._newest_release(wanted) is None:
            with suppress(IndexUnavailableError):
                if candidates := self._candidates(wanted):
                    return Resolution(specs=(spec,), wheel=_newest(candidates))
        return self._released(spec, wanted)

    def _nightly(self, spec: Spec) -> Resolution:
        return self._listed(
            spec, "nightly", lambda version: not spec.value or f"{version.dev}" == spec.value
        )

    def _listed(self, spec: Spec, channel: str, wanted: Callable[[Version], bool]) -> Resolution:
        """The newest wheel that is ``wanted`` in a channel of PyTorch's index, and nowhere else."""
        wheels = [
            wheel
            for wheel in self.listed(channel)
            # What was taken back is no longer the newest one, and can be asked for all the same.
            if wanted(wheel.version) and (wheel.is_listed or spec.value)
        ]
        if not wheels:
            return Resolution(specs=(spec,), problem=f"the {channel} index does not list it")
        return Resolution(specs=(spec,), wheel=_newest(wheels))

    def _pre_release(self, spec: Spec) -> Resolution:
        channels = ["nightly", "test"] if spec.kind is Kind.DEV else ["test"]
        try:
            for channel in channels:
                wheels = [
                    wheel
                    for wheel in self.listed(channel)
                    if wheel.is_listed and _series(wheel.version) == spec.value
                ]
                if wheels:
                    note = (
                        ""
                        if channel == channels[0]
                        else f"{spec}: release candidate, no nightly left"
                    )
                    return Resolution(specs=(spec,), wheel=_newest(wheels), note=note)
        except IndexUnavailableError as error:
            why = f"PyTorch's index could not be asked for pre-releases: {error}"
        else:
            why = "the index has no pre-release of it"
        wheel = self._newest_release(lambda version: _series(version) == spec.value)
        if wheel is None:
            return Resolution(specs=(spec,), problem=f"{why}, and no {spec.value} is released")
        # A release is newer than every pre-release of its series.
        return Resolution(specs=(spec,), wheel=wheel, note=f"{spec}: the release; {why}")

    def listed(self, channel: str) -> list[IndexedWheel]:
        """All wheels of a channel."""
        if channel == "stable":
            wheels = self._own_variants() or self._indexes.default()
            return [wheel for wheel in wheels if not wheel.version.is_prerelease]
        if channel == "test":
            return self._candidates(lambda version: True)
        return [wheel for wheel in self._in_channel(channel) if wheel.version.is_devrelease]

    def _candidates(self, wanted: Callable[[Version], bool]) -> list[IndexedWheel]:
        """Release candidates.

        PyTorch calls a candidate by the version that it is to become (``binary_populate_env.sh``
        takes ``-rc1`` off the tag), so whatever the test channel lists is one until it is released.
        """
        found = [wheel for wheel in self._in_channel("test") if wanted(wheel.version)]
        released = {wheel.version.public for wheel in self.listed("stable")} if found else set()
        return [wheel for wheel in found if wheel.version.public not in released]

    def _in_channel(self, channel: str) -> list[IndexedWheel]:
        wheels = self._indexes.channel(channel, self._device)
        return [wheel for wheel in wheels if self._suits(wheel)]

    def _suits(self, wheel: IndexedWheel) -> bool:
        """Whether the driver is new enough for the CUDA that a wheel was built with."""
        cuda = re.fullmatch("cu([0-9]+)", wheel.variant)
        return self._newest_cuda is None or cuda is None or int(cuda[1]) <= self._newest_cuda


def _adopted(spec: Spec) -> Resolution:
    python = Path(spec.value)
    release = release_in(python)
    note = "adopted: an environment that was there, with this release as it was released"
    return Resolution(
        specs=(spec,), python=python, release=release, note=note if release is not None else ""
    )


def _newest(wheels: Iterable[IndexedWheel]) -> IndexedWheel:
    return max(wheels, key=lambda wheel: wheel.version)


def _series(version: Version) -> str:
    return f"{version.major}.{version.minor}"


def _driver_cuda() -> int | None:
    """The newest CUDA that the driver runs, as in variants: 130 for 13.0."""
    try:
        answer = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    _, found, rest = answer.stdout.partition("CUDA Version:")
    return int(rest.split()[0].replace(".", "")) if found else None
