"""Charts by pygal, without what it adds to a drawing: style, script, date, other people's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from compat.report.escape import spelled

Values: TypeAlias = Sequence[float | Mapping[str, Any] | None]

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


def bars(labels: Sequence[str], series: Mapping[str, Values], unit: str) -> str:
    """An SVG: for each label a bar of each series; a value may say how far it ranges, as ``ci``."""
    highest = max((_top(value) for values in series.values() for value in values), default=0)
    return _draw(pygal.Bar, labels, series, unit, range=(0, highest) if highest else None)


def lines(labels: Sequence[str], series: Mapping[str, Values], unit: str) -> str:
    """An SVG: a line for each series over the labels, on a logarithmic scale."""
    return _draw(pygal.Line, labels, series, unit, logarithmic=True)


def _top(value: float | Mapping[str, Any] | None) -> float:
    if isinstance(value, Mapping):
        return float(value["ci"]["high"])
    return value or 0


def short(value: float) -> str:
    """A number as people read it."""
    return f"{value:.4g}"


def _draw(
    kind: type[Any],
    labels: Sequence[str],
    series: Mapping[str, Values],
    unit: str,
    **options: Any,
) -> str:
    if not labels:
        return ""
    chart = kind(
        css=[],
        js=[],
        style=_STYLE,
        width=760,
        height=340,
        y_title=unit,
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
    chart.x_labels = [spelled(label) for label in labels]
    for title, values in series.items():
        chart.add(spelled(title), list(values))
    return _drawing(ET.fromstring(chart.render()))  # noqa: S314  (pygal made it)


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
