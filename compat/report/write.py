"""Everything below ``reports/``, from one run and what is known of those before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from compat.findings.compare import Comparison
from compat.findings.model import Findings
from compat.findings.support import schema as support_schema
from compat.findings.support import support
from compat.report.badge import badge
from compat.report.cut import ISSUE_LIMIT, SUMMARY_LIMIT, cut
from compat.report.markdown import render
from compat.report.paragraph import paragraph
from compat.report.site import write_site
from compat.runs.history import History, save_history
from compat.runs.model import Run, to_json
from compat.runs.store import save, write_json

HISTORY = Path("data") / "history.json"
LATEST_RUN = Path("latest") / "run.json"
README = Path("README.md")


def write_reports(
    reports: Path,
    run: Run,
    findings: Findings,
    comparisons: Mapping[str, Comparison],
    history: History,
    rest: str,
) -> None:
    """Write them all; ``rest`` is where an issue links to for what does not fit into it.

    An unhealthy run is no measure, so it does not become part of the history: what it saw would
    count as there already in the run after it.
    """
    save(run, reports / LATEST_RUN)
    write_json(reports / "latest" / "findings.json", to_json(findings))
    write_json(
        reports / "latest" / "comparisons.json",
        {name: to_json(each) for name, each in comparisons.items()},
    )
    _write_support(reports / "data" / "support.json", support(run))
    if not findings.failed_controls:
        save_history(history, reports / HISTORY)
    write_site(run, findings, history, reports / "site")
    text = render(run, findings, comparisons)
    short = paragraph(run, findings, comparisons) + "\n"
    for name, content in {
        README: cut(text, SUMMARY_LIMIT, str(LATEST_RUN)),
        Path("issue.md"): cut(f"{short}\n{text}", ISSUE_LIMIT, rest),
        Path("summary.md"): short,
        Path("badge.svg"): badge(run, findings),
    }.items():
        (reports / name).write_text(content, encoding="utf-8")


def _write_support(path: Path, data: Any) -> None:
    data = json.loads(json.dumps(data))
    jsonschema.validate(data, support_schema())
    write_json(path, data)
