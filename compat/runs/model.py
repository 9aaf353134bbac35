"""What one matrix execution saw, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

SCHEMA_VERSION = 1

JSON = Any


class Outcome(str, Enum):
    """How a cell ended. Unknown is never shown as pass or as unsupported."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    CRASH = "crash"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"
    SKIP = "skip"
    NOT_RUN = "not-run"


class Status(str, Enum):
    """What became of a build as a whole.

    ``UNAVAILABLE`` builds could not be had from any index: nothing is known about them.
    ``BROKEN`` builds were there and could not be installed, imported or run to the end.
    """

    OK = "ok"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """What was installed; the hash is empty where the environment was there already."""

    filename: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a build ran: ``kind`` is ``cpu`` or ``cuda``; ``driver`` is None on a CPU."""

    kind: str
    name: str = ""
    driver: str | None = None


@dataclass(frozen=True, kw_only=True)
class Build:
    """One PyTorch on one device.

    Attributes:
        id: Names the build in cells and on the command line; unique together with the device.
        aliases: Every spec that resolved to this build.
        requested: The first of them.
        version: ``torch.__version__``, with its local part, once the build was imported.
        channel: ``stable``, ``test``, ``nightly`` or ``local``.
        variant: ``cpu``, ``cu130``, …
        note: Why a spec resolved to this build, where that needs saying.
        reason: Why the status is not ok.
        compiler: First line of the C++ compiler's ``--version``.
        seconds: How long it took to ``install``, to ``start`` (import torch and warm up) and to
            ``probe``.
    """

    id: str
    aliases: tuple[str, ...]
    requested: str
    channel: str
    device: Device
    version: str = ""
    variant: str = ""
    git_version: str = ""
    triton: str = ""
    python: str = ""
    compiler: str = ""
    wheel: Wheel | None = None
    note: str = ""
    status: Status = Status.OK
    reason: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The id, with the device where it is not the CPU."""
        return self.id if self.device.kind == "cpu" else f"{self.id} {self.device.kind}"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One probe with its parameters on one build and device, and how it ended.

    Attributes:
        reason: For outcomes other than pass: why, in one line.
        signature: See :mod:`compat.runs.signature`; only of failures.
        message: The failure as the probe's author would read it; several lines.
        metrics: What the probe recorded, JSON values by name.
    """

    subject: str
    build: str
    device: str
    probe: str
    params: Mapping[str, str]
    outcome: Outcome
    reason: str = ""
    signature: str = ""
    message: str = ""
    duration_s: float = 0.0
    metrics: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def check(self) -> str:
        """The probe with its parameters, ``parity.outputs[mlp-float32-static-aot]``."""
        return check_id(self.probe, self.params)

    @property
    def id(self) -> str:
        return f"{self.check}@{self.build}-{self.device}"


def check_id(probe: str, params: Mapping[str, str]) -> str:
    """How people type and grep a probe with its parameters."""
    return f"{probe}[{'-'.join(params.values())}]" if params else probe


@dataclass(frozen=True, kw_only=True)
class Harness:
    """The project that ran: its version, and its git commit with ``+`` if the tree was dirty."""

    version: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine that ran."""

    system: str
    machine: str
    cpu: str
    cores: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything one matrix execution saw. Times are UTC, ISO 8601, whole seconds."""

    schema_version: int
    started: str
    finished: str
    harness: Harness
    host: Host
    builds: tuple[Build, ...]
    descriptions: Mapping[str, str]
    cells: tuple[Cell, ...]


def to_json(record: Any) -> JSON:
    """A dataclass of this module as JSON values."""
    return asdict(record)


def build_from_json(data: Mapping[str, JSON]) -> Build:
    wheel = data.get("wheel")
    return Build(
        **{
            **data,
            "aliases": tuple(data["aliases"]),
            "device": Device(**data["device"]),
            "wheel": Wheel(**wheel) if wheel else None,
            "status": Status(data["status"]),
        }
    )


def cell_from_json(data: Mapping[str, JSON]) -> Cell:
    return replace(Cell(**data), outcome=Outcome(data["outcome"]))


def run_from_json(data: Mapping[str, JSON]) -> Run:
    """The inverse of :func:`to_json` for a :class:`Run`; the data must fit the schema."""
    return Run(
        **{
            **data,
            "harness": Harness(**data["harness"]),
            "host": Host(**data["host"]),
            "builds": tuple(map(build_from_json, data["builds"])),
            "cells": tuple(map(cell_from_json, data["cells"])),
        }
    )
