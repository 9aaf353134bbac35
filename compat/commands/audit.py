"""``compat audit``: what a source tree asks of torch, and what the latest run knows of that."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import compat
from compat.adapters import ENGINES
from compat.audit.data import to_json
from compat.audit.judge import judge
from compat.audit.known import Known
from compat.audit.sarif import sarif
from compat.audit.source import Sources
from compat.audit.tree import read_tree
from compat.audit.view import audit_text
from compat.audit.watch import derive, to_text
from compat.commands.places import HOME, REPORTS
from compat.errors import EXPECTED, UNEXPECTED, UsageError
from compat.report.places import LATEST_RUN
from compat.report.words import listed, number_of
from compat.runs.ids import BUILTIN
from compat.runs.reference import load_latest
from compat.subjects.config import load_subjects
from compat.subjects.files import python_files_of
from compat.subjects.spec import Kind, SubjectSpec, parse_release, parse_subject
from compat.topics.matrix import Matrix
from compat.topics.surface.watched import FILE, watched


def audit(parsed: argparse.Namespace) -> int:
    """1 if anything in the tree fails on a build of the range."""
    matrix = Matrix(load_latest(REPORTS / LATEST_RUN))
    known = Known(matrix, parsed.torch)
    if not known.builds:
        there = ", ".join(build.label for build in matrix.ran())
        raise UsageError(f"--torch '{parsed.torch}': no build of the latest run; it has {there}")
    tree = read_tree(sources_of(parsed.tree), known.members_read())
    found = judge(parsed.tree, tree, known)
    if parsed.sarif is not None:
        parsed.sarif.write_text(json.dumps(sarif(found), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(to_json(found), indent=1) if parsed.json else audit_text(found))
    return UNEXPECTED if found.breaks else EXPECTED


def sources_of(text: str) -> Sources:
    """A path, if there is one of that name; else a subject, or a release of another project.

    Only the files of a release are fetched.

    Raises:
        UsageError: It is neither, or a folder without Python files.
    """
    path = Path(text)
    sources = Sources.at(path.absolute()) if path.exists() else _of_subject(text)
    if next(sources.paths(), None) is None:
        raise UsageError(f"{text!r}: expected Python files below {sources.package}")
    return sources


def _of_subject(text: str) -> Sources:
    try:
        spec = parse_subject(text)
    except UsageError as error:
        if "==" not in text:
            raise UsageError(f"{text!r}: there is no such file or folder, and {error}") from None
        return Sources.at(_files_of(parse_release(text)))
    if spec.name == BUILTIN:
        package = Path(compat.__file__).parent / "interface"
        return Sources(root=package.parents[1], package=package)
    if spec.name in ENGINES:
        return Sources.at(_files_of(spec))
    if spec.kind is Kind.NOWHERE:
        raise UsageError(f"{text!r}: expected a project that uses torch, not torch itself")
    if spec.kind is Kind.FILE and spec.path is not None:
        return Sources.at(spec.path)
    if spec.kind is Kind.CHECKOUT and spec.path is not None:
        source = spec.path / load_subjects().projects[spec.name].source
        return Sources(root=spec.path, package=source / spec.name)
    folder = _files_of(spec)
    return Sources(root=folder, package=folder / spec.name)


def _files_of(release: SubjectSpec) -> Path:
    return python_files_of(release, (HOME / "subjects").absolute())


def watch(parsed: argparse.Namespace) -> int:
    """Write anew what the matrix watches; says how much that is.

    Raises:
        UsageError: A project is given without a release: what is in the file must be the same
            tomorrow.
    """
    for text in parsed.subjects:
        parse_release(text)
    subjects = [BUILTIN, *(parsed.subjects or watched().subjects)]
    sources = {subject: sources_of(subject) for subject in subjects}
    found = derive({subject: read_tree(each, ()) for subject, each in sources.items()})
    FILE.write_text(to_text(found), encoding="utf-8")
    kinds = {"name": found.names, "config key": found.keys, "operator": found.operators}
    counts = listed([number_of(len(each), kind) for kind, each in kinds.items()])
    print(f"{FILE}: {counts} of {', '.join(subjects)}")
    return EXPECTED
