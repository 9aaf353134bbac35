"""Small matrices made by hand: a build with its device, and cells with their records."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compat.runs.ids import BuildId
from compat.runs.model import (
    SCHEMA_VERSION,
    Build,
    Cell,
    Device,
    Harness,
    Host,
    Outcome,
    Pair,
    Run,
    Source,
    Subject,
)
from compat.topics.matrix import Matrix
from compat.topics.records import RECORDS, encode

SOURCE = Source(
    id="2026-11-22T050000.000Z",
    started="2026-11-22T05:00:00+00:00",
    harness=Harness(version="0.1.0", commit="0123abc"),
    host=Host(system="Linux 6", machine="x86_64", cpu="a CPU", cores=2),
)


def make_build(build: str, **changes: Any) -> Build:
    """A build by its id, such as ``2.13.0-cpu``."""
    name = BuildId(build)
    values: dict[str, Any] = {
        "id": name,
        "aliases": (name.name,),
        "requested": name.name,
        "channel": "stable",
        "device": Device(kind=name.device, name="AVX2"),
        "version": f"{name.name}+cu130",
    }
    return Build(**{**values, **changes})


def make_cell(
    build: str, record: object | None, outcome: Outcome = Outcome.PASS, **changes: Any
) -> Cell:
    """A cell of the only probe that fills this type of record, or of ``probe=``."""
    probes = [probe for probe, kind in RECORDS.items() if kind is type(record)]
    probe = changes.pop("probe", None) or probes[0]
    return Cell(
        build=BuildId(build),
        probe=probe,
        params=changes.pop("params", {}),
        outcome=outcome,
        record=None if record is None else encode(probe, record),
        seen_in="" if outcome is Outcome.NOT_RUN else SOURCE.id,
        **changes,
    )


def make_matrix(
    *cells: Cell,
    builds: tuple[Build, ...] = (),
    subjects: tuple[Subject, ...] = (),
    pairs: tuple[Pair, ...] = (),
) -> Matrix:
    """All cells, on the builds that they name, in that order."""
    names = dict.fromkeys(cell.build for cell in cells)
    return Matrix(
        Run(
            schema_version=SCHEMA_VERSION,
            sources=(SOURCE,),
            builds=builds or tuple(map(make_build, names)),
            subjects=subjects,
            pairs=pairs,
            descriptions={cell.probe: f"What {cell.probe} asks." for cell in cells},
            cells=cells,
        )
    )


def fields_of(record: Any) -> dict[str, Any]:
    """A record's fields, to be changed and damaged by a test."""
    return asdict(record)
