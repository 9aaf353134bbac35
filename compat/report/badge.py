"""A badge: which builds, and whether anything unexpected was seen."""

from __future__ import annotations

from xml.sax.saxutils import escape

from compat.findings.model import Findings
from compat.report.escape import visible
from compat.runs.model import Run, Status

_GREEN, _RED, _GREY = "#2da44e", "#cf222e", "#6e7781"
_LABEL = "PyTorch compiler"
# Wide enough for a character of 11 px Verdana.
_CHARACTER, _PADDING = 7, 12


def badge(run: Run, findings: Findings) -> str:
    """An SVG picture; the same run and findings give the same bytes."""
    said, color = _said(run, findings)
    left, right = (len(text) * _CHARACTER + _PADDING for text in (_LABEL, said))
    text = escape(said)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{_LABEL}: {text}">\n'
        f"<title>{_LABEL}: {text}</title>\n"
        f'<rect width="{left}" height="20" fill="#24292f"/>\n'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/>\n'
        f'<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">\n'
        f'<text x="{left / 2:g}" y="14">{_LABEL}</text>\n'
        f'<text x="{left + right / 2:g}" y="14">{text}</text>\n'
        f"</g>\n</svg>\n"
    )


def _said(run: Run, findings: Findings) -> tuple[str, str]:
    ran = [visible(build.id) for build in run.builds if build.status is Status.OK]
    if not ran:
        return "nothing was run", _GREY
    builds = ran[0] if len(ran) == 1 else f"{ran[0]} to {ran[-1]}"
    if findings.failed_controls:
        return f"{builds}: unhealthy run", _GREY
    if findings.unexpected:
        return f"{builds}: {len(findings.unexpected)} unexpected", _RED
    return f"{builds}: as expected", _GREEN
