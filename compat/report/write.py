"""Everything below ``reports/``, from what a run comes to."""

from __future__ import annotations

from pathlib import Path

from compat.findings.excuses import to_run_again
from compat.findings.results import Results
from compat.findings.support import support
from compat.report.attached import attached, write_repros
from compat.report.badge import badge
from compat.report.cut import ISSUE_LIMIT, README_LIMIT, cut
from compat.report.excuses import RERUN, rerun_text
from compat.report.first import first_screen
from compat.report.markdown import render
from compat.report.paragraph import paragraph
from compat.report.places import HISTORY, LATEST_RUN, README, REPROS
from compat.report.plots import plots
from compat.report.site import write_site
from compat.runs.history import save_history
from compat.runs.store import save, write_json


def write_reports(reports: Path, results: Results, rest: str) -> None:
    """Write them all; ``rest`` is where an issue links to for what does not fit into it.

    A run that proves nothing is no measure, so it does not become part of the history: what it saw
    would count as there already in the run after it.
    """
    save(results.run, reports / LATEST_RUN)
    write_json(reports / "latest" / "findings.json", results.findings)
    write_json(reports / "latest" / "comparisons.json", results.comparisons)
    write_json(reports / "data" / "support.json", support(results.matrix))
    if not results.assessment.proves_nothing:
        save_history(results.history, reports / HISTORY)
    write_site(results, reports / "site")
    write_repros(attached(results).made_of, results.run, reports / REPROS)
    short = paragraph(results) + "\n"
    first = f"{short}\n{first_screen(results)}\n\n[All tables]({rest})\n"
    cells = to_run_again(results.matrix, results.excuses)
    (reports / RERUN).write_text(rerun_text(cells), encoding="utf-8")
    for name, content in {
        README: cut(render(results), README_LIMIT, str(LATEST_RUN)),
        Path("issue.md"): cut(first, ISSUE_LIMIT, rest),
        Path("summary.md"): short,
        Path("badge.svg"): badge(results.assessment),
        **{Path(plot.name): plot.as_file() for plot in plots(results)},
    }.items():
        (reports / name).write_text(content, encoding="utf-8")
