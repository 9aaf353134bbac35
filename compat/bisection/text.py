"""What a bisection found, as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from compat.bisection.search import Found, Seen
from compat.document.escape import code, plain
from compat.report.words import value_text

_COMPARE = "https://github.com/pytorch/pytorch/compare"


def bisection_text(found: Found, check: str, where: str, command: str) -> str:
    """The result as markdown, for people and for the tracking issue.

    Args:
        found: What was found.
        check: What was asked, as typed.
        where: On what: ``cpu``, or a build.
        command: What repeats it between the same ends.
    """
    good, bad = found.seen[found.good], found.seen[found.bad]
    asked = f"{code(check)} on {plain(where)}"
    lines = [
        f"**{asked}: since {plain(found.bad)}.**"
        if found.certain
        else f"**{asked}: uncertain. Rerunning the two boundary builds did not reproduce their "
        "results.**",
        "",
        f"- up to {plain(found.good)}: {plain(_said(good, found.names))}",
        f"- from {plain(found.bad)} on: {plain(_said(bad, found.names))}",
    ]
    if found.between:
        lines.append(
            f"- between them, not told apart: {plain(', '.join(found.between))}; the first one is "
            f"among these or {plain(found.bad)}"
        )
    if not found.certain:
        again = (_said(each, found.names) for each in found.repeated)
        lines.append(f"- the rerun gave: {plain(' and '.join(again))}")
    lines += [
        *(
            [f"- commits: {_commits(good.git_version, bad.git_version)}"]
            if good.git_version != bad.git_version
            else []
        ),
        "",
        "Asked, oldest first:",
        "",
        *(
            f"- {plain(build)}: {plain(_said(each, found.names))}"
            for build, each in found.seen.items()
        ),
        "",
        "To repeat it:",
        "",
        f"    {command}",
    ]
    return "\n".join(lines) + "\n"


def _said(seen: Seen, names: Iterable[str]) -> str:
    """The answers of these names; why there are none where there are none."""
    if not seen.answers:
        return f"skipped, {seen.problem}"
    said = ((name, seen.answers[name]) for name in names if name in seen.answers)
    return ", ".join(f"{name}: {value_text(each.scale, each.value)}" for name, each in said)


def _commits(good: str, bad: str) -> str:
    commits = f"{good}...{bad}"
    # What a build says of itself is no part of an address unless it is a commit.
    known = all(re.fullmatch("[0-9a-f]{40}", commit) for commit in (good, bad))
    return f"[{commits}]({_COMPARE}/{commits})" if known else code(commits)
