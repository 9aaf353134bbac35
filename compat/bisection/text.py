"""What a bisection found, as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import takewhile

from compat.bisection.search import Found, Seen
from compat.bisection.surface import SurfaceDifference
from compat.document.escape import code, plain
from compat.report.words import value_text

_COMPARE = "https://github.com/pytorch/pytorch/compare"


# Of what differs in the surface; the whole of it is in the report of these two builds.
_MOST = 40
# Of a signature, and of what is alike on both sides of where two of them differ.
_LONGEST, _AROUND = 160, 30


def bisection_text(
    found: Found,
    check: str,
    where: str,
    command: str,
    *,
    since: str = "since",
    ends: Mapping[str, str] | None = None,
    surface: SurfaceDifference | None = None,
) -> str:
    """The result as markdown, for people and for the tracking issue.

    Args:
        found: What was found.
        check: What was asked, as typed.
        where: On what: ``cpu``, or a build.
        command: What repeats it between the same ends.
        since: What is so from the newer one of the two neighbours on.
        ends: By neighbour: the command that asks just that one again.
        surface: What else differs between the neighbours.
    """
    good, bad = found.seen[found.good], found.seen[found.bad]
    asked = f"{code(check)} on {plain(where)}"
    lines = [
        f"**{asked}: {since} {plain(found.bad)}.**"
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
        *(_surface(surface) if surface else []),
        "To repeat it:",
        "",
        f"    {command}",
    ]
    for name, asks in (ends or {}).items():
        lines += ["", f"{plain(name)} alone:", "", f"    {asks}"]
    return "\n".join(lines) + "\n"


def _said(seen: Seen, names: Iterable[str]) -> str:
    """The answers of these names; why there are none where there are none."""
    if not seen.answers:
        return f"skipped, {seen.problem}"
    said = ((name, seen.answers[name]) for name in names if name in seen.answers)
    text = ", ".join(f"{name}: {value_text(each.scale, each.value)}" for name, each in said)
    return f"{text} ({seen.failure})" if seen.failure else text


def _surface(surface: SurfaceDifference) -> Iterable[str]:
    """What else differs between the neighbours, in the surface that is derived from sources."""
    if surface.problem:
        yield f"What else differs in their surface is not known: {plain(surface.problem)}"
    else:
        number = len(surface.differences)
        yield f"What else differs in the surface that is watched: {number or 'nothing'}"
    yield ""
    for each in surface.differences[:_MOST]:
        said = [value_text(each.scale, value) for value in (each.before, each.after)]
        before, after = _apart(*said)
        yield f"- {code(each.answer)}: {plain(before)} → {plain(after)}"
    if surface.differences:
        if len(surface.differences) > _MOST:
            yield f"- … and {len(surface.differences) - _MOST} more"
        yield ""


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two texts without the most of what they begin and end with alike, if they are long."""
    if len(before) + len(after) <= 2 * _LONGEST:
        return before, after
    begin = _alike(before, after)
    end = _alike(before[begin:][::-1], after[begin:][::-1])

    def cut(text: str) -> str:
        left = max(0, begin - _AROUND)
        right = min(len(text), len(text) - end + _AROUND)
        middle = text[left:right]
        if len(middle) > _LONGEST:
            middle = f"{middle[:_LONGEST]}…"
        return "…" * (left > 0) + middle + "…" * (right < len(text))

    return cut(before), cut(after)


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with that are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _commits(good: str, bad: str) -> str:
    commits = f"{good}...{bad}"
    # What a build says of itself is no part of an address unless it is a commit.
    known = all(re.fullmatch("[0-9a-f]{40}", commit) for commit in (good, bad))
    return f"[{commits}]({_COMPARE}/{commits})" if known else code(commits)
