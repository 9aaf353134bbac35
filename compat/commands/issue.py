"""``compat issue``: keep the tracking issues on GitHub."""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timezone

from compat.commands.places import REPORTS
from compat.document.escape import printed
from compat.errors import UsageError
from compat.findings.awaits import AWAITS, load_awaits
from compat.findings.expectations import load_expectations
from compat.findings.results import results_of
from compat.nightly.actions import link_to_run
from compat.nightly.handover import RefusedError, read_plain
from compat.report.awaited import awaited_text
from compat.report.places import HISTORY, LATEST_RUN
from compat.runs.history import load_history
from compat.runs.reference import load_latest
from compat.tracking import sync as issues
from compat.tracking.github import ADDRESS, GitHub
from compat.tracking.text import comment_body
from compat.tracking.twin import LABEL as TWIN_LABEL
from compat.tracking.twin import twin_topics

# The workflow that sees the nights.
MATRIX = "matrix"
# It was made beside PyTorch.
_LARGEST_COMMENT_B = 1 << 20


def sync(parsed: argparse.Namespace) -> int:
    history = load_history(REPORTS / HISTORY)
    if not history.entries:
        raise UsageError(f"{REPORTS / HISTORY}: expected a history of at least one run")
    run = load_latest(REPORTS / LATEST_RUN)
    results = results_of(run, history, load_expectations(), load_awaits())
    topics = issues.find_topics(
        results,
        nights=parsed.nights,
        today=parsed.today or datetime.now(timezone.utc).date(),
        # Another workflow's run has no report that a link could lead to.
        run_link=link_to_run(os.environ) if os.environ.get("GITHUB_WORKFLOW") == MATRIX else "",
    )
    github = _github(parsed.repository)
    if parsed.dry_run:
        for step in issues.plan(topics, github.issues(issues.LABEL)):
            print(printed(f"would {step}\n{step.text}"))
    else:
        for step in issues.sync(topics, github):
            print(printed(str(step)))
        for each in results.awaited:
            if each.text and each.column is not None:
                body = comment_body(awaited_text(each), link_to_run(os.environ))
                print(issues.comment(each.column.build.device, body, github))
    return 0


def twin(parsed: argparse.Namespace) -> int:
    """Keep the issue about a suite, from the reports that ``compat run`` made elsewhere."""
    run = load_latest(parsed.reports / LATEST_RUN)
    history = load_history(parsed.reports / HISTORY)
    results = results_of(run, history, load_expectations(), load_awaits(parsed.awaits or AWAITS))
    run_link = link_to_run(os.environ)
    topics = list(twin_topics(results, run_link))
    if not topics:
        raise UsageError(f"{parsed.reports}: expected a run of a suite beside its twin")
    github = _github(parsed.repository)
    fixed = [comment_body(awaited_text(each), run_link) for each in results.awaited if each.text]

    def tell() -> None:
        for body in fixed:
            about = (topics[0].marker, "issue about this suite")
            print(issues.comment_on(*about, body, github, TWIN_LABEL))

    # Also below an issue that is to be closed now.
    tell()
    for step in issues.sync(topics, github, TWIN_LABEL):
        print(printed(str(step)))
        if isinstance(step, issues.Open):
            tell()
    return 0


def comment(parsed: argparse.Namespace) -> int:
    try:
        # No link: what this process can read, its environment with the token, is not for all.
        markdown = read_plain(parsed.file, _LARGEST_COMMENT_B).decode()
    except (RefusedError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {parsed.file}: {error}") from None
    body = comment_body(markdown, link_to_run(os.environ))
    if not body:
        raise UsageError(f"{parsed.file}: expected markdown, it is empty")
    print(issues.comment(parsed.device, body, _github(parsed.repository)))
    return 0


def _github(repository: str) -> GitHub:
    token = os.environ.get("GITHUB_TOKEN")
    if not token:
        raise UsageError("GITHUB_TOKEN: expected a token that may write issues; it is not set")
    return GitHub(repository, token, os.environ.get("GITHUB_API_URL") or ADDRESS)
