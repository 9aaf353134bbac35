"""Charts by pygal, without what it adds to a drawing: style, script, date, other people's names."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from compat.document.escape import spelled
from compat.document.parts import Chart, Drawing, Spread

# Only sizes, for the room that pygal leaves: the page's own style sheet draws.
_STYLE = Style(
    font_family="sans-serif",
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    title_font_size=12,
)

# So many characters fit below the drawing, side by side.
_ONE_LINE = 100
# Of the drawing's parts: what only pygal's own script fills.
_UNUSED = ("text-overlay", "tooltip-overlay")


def draw(chart: Chart) -> str:
    """An SVG without style or script; empty where there is nothing to draw."""
    match chart.drawing:
        case Drawing.BARS:
            values = (value for each in chart.series.values() for value in each)
            highest = max(map(_top, values), default=0)
            return _draw(pygal.Bar, chart, range=(0, highest) if highest else None)
        case Drawing.LINES:
            return _draw(pygal.Line, chart, logarithmic=True)


def _top(value: float | Spread | None) -> float:
    return value.high if isinstance(value, Spread) else value or 0


def _drawn(value: float | Spread | None) -> float | dict[str, Any] | None:
    """A value as pygal takes it."""
    if isinstance(value, Spread):
        return {"value": value.value, "ci": {"low": value.low, "high": value.high}}
    return value


def short(value: float) -> str:
    """A number as people read it."""
    return f"{value:.4g}"


def _draw(kind: type[Any], chart: Chart, **options: Any) -> str:
    labels = chart.labels
    if not labels or not chart.series:
        return ""
    drawing = kind(
        css=[],
        js=[],
        style=_STYLE,
        width=760,
        height=340,
        y_title=chart.unit,
        max_scale=6,
        x_label_rotation=25 if max(map(len, labels)) * len(labels) > _ONE_LINE else 0,
        margin_bottom=30,
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        truncate_label=28,
        truncate_legend=28,
        formatter=short,
        **options,
    )
    drawing.x_labels = [spelled(label) for label in labels]
    for title, values in chart.series.items():
        drawing.add(spelled(title), list(map(_drawn, values)))
    return _drawing(ET.fromstring(drawing.render()))  # noqa: S314  (pygal made it)


def _drawing(root: ET.Element) -> str:
    """What is drawn, and each value as the title of its shape."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in ("id", "style"):
            element.attrib.pop(name, None)
    for parent in list(root.iter()):
        notes = {each.get("class"): each.text or "" for each in parent if each.tag == "desc"}
        for child in list(parent):
            unused = child.get("class", "").endswith(_UNUSED)
            if unused or child.tag in {"defs", "desc", "title"}:
                parent.remove(child)
        if "value" in notes:
            title = ET.Element("title")
            title.text = f"{notes.get('x_label', '')}: {notes['value']}"
            parent.insert(0, title)
    return ET.tostring(root, encoding="unicode")
