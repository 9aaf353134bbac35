"""``compat builds`` and ``compat probes``: what there is, without installing or running it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compat.builds.config import load_builds
from compat.builds.resolve import Resolution, resolve
from compat.builds.spec import parse_spec
from compat.commands.places import indexes_of
from compat.document.escape import printed
from compat.probes import names
from compat.running.host import default_device


def resolved(parsed: argparse.Namespace, device: str) -> list[Resolution]:
    """What ``--builds``, ``--builds-file`` and ``--python`` ask for."""
    file = load_builds(parsed.builds_file)
    specs = [parse_spec(text) for text in parsed.builds] if parsed.builds else file.specs
    found = [
        resolution
        for python in dict.fromkeys(parsed.python)
        for resolution in resolve(specs, indexes_of(file, python), device)
    ]
    # An interpreter that is there already, or a build that is not, is one whatever the Python.
    return list({resolution.id(device): resolution for resolution in found}.values())


def builds(parsed: argparse.Namespace) -> int:
    device = parsed.device or default_device()
    resolutions = resolved(parsed, device)
    if parsed.json:
        print(json.dumps([_resolution_json(each, device) for each in resolutions], indent=1))
        return 0
    table = Table()
    for header in ("build", "asked for as", "from", "wheel or interpreter", "note"):
        # Folded where it is too long: a wheel's name is there to be copied.
        table.add_column(header, overflow="fold")
    for each in resolutions:
        where = each.wheel.filename if each.wheel else str(each.python or "")
        note = each.problem or each.note
        names = ", ".join(map(str, each.specs))
        name = each.id(device).name_and_python
        table.add_row(*map(_cell, (name, names, each.channel, where, note)))
    Console().print(table)
    return 0


def _cell(text: str) -> str:
    """A text of an index in a table: neither markup nor anything that a terminal obeys."""
    return escape(printed(text))


def _resolution_json(resolution: Resolution, device: str) -> dict[str, Any]:
    wheel = resolution.wheel
    return {
        "id": resolution.id(device),
        "specs": [str(spec) for spec in resolution.specs],
        "channel": wheel.channel if wheel else None,
        "version": str(wheel.version) if wheel else None,
        "filename": wheel.filename if wheel else None,
        "sha256": wheel.sha256 if wheel else None,
        "python": str(resolution.python) if resolution.python else None,
        "note": resolution.note,
        "problem": resolution.problem,
    }


def probes(parsed: argparse.Namespace) -> int:
    table = Table()
    for header in ("probe", "depth", "what it asks"):
        table.add_column(header, overflow="fold")
    for each in names.probes():
        table.add_row(*map(escape, (each.name, each.depth, each.question)))
    Console().print(table)
    return 0
