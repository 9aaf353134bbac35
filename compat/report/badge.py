"""A badge: which builds, and whether anything unexpected was seen."""

from __future__ import annotations

from xml.sax.saxutils import escape

from compat.document.escape import visible
from compat.findings.assess import Assessment, Color

_COLORS = {
    Color.GREEN: "#2da44e",
    Color.AMBER: "#9a6700",
    Color.RED: "#cf222e",
    Color.GREY: "#6e7781",
}
_LABEL = "PyTorch compiler"
# Wide enough for a character of 11 px Verdana.
_CHARACTER, _PADDING = 7, 12


def badge(assessment: Assessment) -> str:
    """An SVG picture; the same assessment gives the same bytes."""
    said, color = _said(assessment), _COLORS[assessment.color]
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


def _said(assessment: Assessment) -> str:
    ran = [visible(build.name_and_python) for build in assessment.tested]
    if not ran:
        return "nothing was run"
    builds = ran[0] if len(ran) == 1 else f"{ran[0]} to {ran[-1]}"
    if assessment.proves_nothing:
        return f"{builds}: proves nothing"
    if assessment.color is Color.RED:
        return f"{builds}: {assessment.red} unexpected"
    missing = len(assessment.not_tested)
    rest = f", {missing} not tested" if missing else ""
    return f"{builds}: as expected{rest}"
