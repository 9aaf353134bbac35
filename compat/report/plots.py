"""Two drawings that are no charts of numbers: support windows, and what each night changed.

They have classes and no style: the page links ``plot.css``, a file of its own holds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from xml.etree import ElementTree as ET

from compat.document.escape import spelled
from compat.document.parts import Table, plain_text
from compat.findings.nights import Night
from compat.findings.results import Results
from compat.findings.upgrade import Upgrade, in_column
from compat.report.shown import DEVICES
from compat.report.upgrade import shown_rows
from compat.report.words import listed
from compat.runs.answers import Change
from compat.topics.upgrade import Says

_SUPPORT = "Support windows: where torch has a feature, and where it needs a workaround"
_NIGHTS = "How many answers each run changed"
_WIDTH, _NAMES, _HEAD, _ROW = 1000, 310, 30, 24
# A bar says what it stands for, in words and in its texture; unknown is no bar but a dotted line.
_BARS = {Says.THERE: "there", Says.NEEDED: "needed", Says.UNKNOWN: "unknown"}

# Away from the axis: the more the worse; towards the top what is good or neither.
_DOWN = (Change.LOST, Change.WORSE)
_UP = (Change.GAINED, Change.BETTER, Change.CHANGED)
_SIDE, _GAP, _LEFT, _FOOT = 62, 26, 74, 44
_FILLED, _MOST_WIDE = 0.8, 24.0
_MOST_NUMBERS = 30
_TICKS = (1, 10, 100, 1000, 10_000)


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawing; ``svg`` has classes and no style.

    Attributes:
        name: Of its file below ``reports/``.
        text: How to read it.
        table: Its numbers; of nights, the newest.
    """

    name: str
    title: str
    text: str
    svg: str
    table: Table

    def as_file(self) -> str:
        """As it stands alone, and GitHub shows it."""
        style = resources.files("compat.report").joinpath("page").joinpath("plot.css")
        head, rest = self.svg.split(">", 1)
        xmlns = 'xmlns="http://www.w3.org/2000/svg"'
        return f"{head} {xmlns}><style>{style.read_text('utf-8')}</style>{rest}\n"


def support_plot(results: Results) -> Iterable[Plot]:
    """None where no gate and no workaround was asked for."""
    if svg := _support_window(results.upgrade):
        yield Plot(
            name="support.svg",
            title=_SUPPORT,
            text="Filled: torch has the feature. Dashed: the workaround is needed. "
            "Dotted: not known. Blank: the feature is not there, or the workaround is not needed.",
            svg=svg,
            table=Table(headers=[], rows=[]),
        )


def nights_plot(results: Results) -> Iterable[Plot]:
    """None where no device was seen in two runs."""
    if svg := _answers_over_nights(results.nights):
        yield Plot(
            name="nights.svg",
            title=_NIGHTS,
            text="Every build is compared with itself in the runs before, a nightly with the "
            "nightly before it. The scale is logarithmic; what is the same is not drawn.",
            svg=svg,
            table=_numbers(results.nights),
        )


def _numbers(nights: Mapping[str, Sequence[Night]]) -> Table:
    found = [(night, device) for device, those in nights.items() for night in those[1:]]
    newest = sorted(found, key=lambda each: each[0].run, reverse=True)[:_MOST_NUMBERS]
    told = (*_DOWN, *_UP)
    return Table(
        headers=["run of", "device", "compared", *(change.value for change in told)],
        rows=[
            [
                *(night.date, DEVICES.get(device, device), str(night.compared)),
                *(str(night.changes.get(change, 0)) for change in told),
            ]
            for night, device in newest
        ],
    )


def plots(results: Results) -> list[Plot]:
    """All of them."""
    return [*support_plot(results), *nights_plot(results)]


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """Neighbouring releases of which a row says the same; places in columns, from 0 on."""

    says: Says
    start: float
    end: float
    labels: tuple[str, ...]

    @property
    def width(self) -> float:
        return self.end - self.start


def _support_window(upgrade: Upgrade) -> str:
    """A row a gate or workaround, releases from left to right; empty where there is nothing."""
    if not upgrade.lines:
        return ""
    line = upgrade.lines[0]
    rows = shown_rows(upgrade)
    columns = line.columns[::-1]
    slot = (_WIDTH - _NAMES) / len(columns)
    root = _root(_WIDTH, _HEAD + _ROW * len(rows) + 6, _SUPPORT)
    for number, column in enumerate(columns):
        left = _NAMES + slot * number
        _text(root, left + slot / 2, _HEAD - 12, column.label, anchor="middle")
        _add(root, "path", d=f"M{left:g} {_HEAD - 4}V{_HEAD + _ROW * len(rows)}", kind="grid")
    for number, row in enumerate(rows):
        top = _HEAD + _ROW * number
        name = plain_text(row.name)
        _text(root, _NAMES - 10, top + 16, name, anchor="end", kind="name")
        said: list[_Stretch] = []
        for place, column in enumerate(columns):
            found = in_column(row, column)
            width = 1 / len(found)
            said += [
                _Stretch(says=says, start=start, end=start + width, labels=(column.label,))
                for n, says in enumerate(found.values())
                for start in [place + n * width]
            ]
        for stretch in _joined(said):
            if stretch.says in _BARS:
                left, width = (slot * each for each in (stretch.start, stretch.width))
                _bar(root, stretch, name, left=_NAMES + left, width=width, top=top)
    return _written(root)


def _joined(stretches: Iterable[_Stretch]) -> Iterable[_Stretch]:
    for says, those in groupby(stretches, key=lambda each: each.says):
        found = list(those)
        yield _Stretch(
            says=says,
            start=found[0].start,
            end=found[-1].end,
            labels=tuple(label for each in found for label in each.labels),
        )


def _bar(
    root: ET.Element, stretch: _Stretch, name: str, *, left: float, width: float, top: int
) -> None:
    word = _BARS[stretch.says]
    group = _add(root, "g", kind=word)
    _add(group, "title").text = spelled(f"{name}: {word} on {listed([*stretch.labels])}")
    if stretch.says is Says.UNKNOWN:
        _add(group, "path", d=f"M{left + 4:g} {top + 12}h{width - 8:g}")
        return
    size = {"x": f"{left + 2:g}", "y": str(top + 3), "width": f"{width - 4:g}", "height": "18"}
    _add(group, "rect", rx="4", **size)
    _text(group, left + width / 2, top + 16, word, anchor="middle")


def _answers_over_nights(nights: Mapping[str, Sequence[Night]]) -> str:
    """A panel a device: above its axis what is gained or changed, below what is lost or worse."""
    panels = {device: found[1:] for device, found in nights.items() if len(found) > 1}
    if not panels:
        return ""
    height = _GAP + len(panels) * (2 * _SIDE + _GAP) + _FOOT
    root = _root(_WIDTH, height, _NIGHTS)
    runs = sorted({night.run for found in panels.values() for night in found})
    slot = (_WIDTH - _LEFT) / len(runs)
    most = max(_most(night) for found in panels.values() for night in found)
    ticks = [tick for tick in _TICKS if tick < 10 * max(most, 1)]
    scale = _SIDE / math.log10(1 + max(most, ticks[-1]))
    for number, (device, found) in enumerate(panels.items()):
        axis = _GAP + number * (2 * _SIDE + _GAP) + _SIDE
        _text(root, 4, axis - _SIDE + 4, DEVICES.get(device, device), kind="name")
        _axis(root, axis, ticks, scale)
        width = min(slot * _FILLED, _MOST_WIDE)
        placed = [(_LEFT + slot * runs.index(night.run) + width / 2, night) for night in found]
        _bars(root, placed, axis=axis, width=width, scale=scale)
    _dates(root, runs, slot, height - _FOOT + 14)
    _legend(root, height - 10)
    return _written(root)


def _most(night: Night) -> int:
    return max(sum(night.changes.get(each, 0) for each in side) for side in (_UP, _DOWN))


def _axis(root: ET.Element, axis: int, ticks: Sequence[int], scale: float) -> None:
    """Logarithmic, so that one answer is seen beside a thousand."""
    _add(root, "path", d=f"M{_LEFT} {axis}H{_WIDTH}", kind="axis")
    for sign in (-1, 1):
        for tick in ticks:
            y = axis + sign * scale * math.log10(1 + tick)
            _add(root, "path", d=f"M{_LEFT} {y:.4g}H{_WIDTH}", kind="grid")
            _text(root, _LEFT - 6, y + 4, str(tick), anchor="end")


def _bars(
    root: ET.Element,
    nights: Iterable[tuple[float, Night]],
    *,
    axis: int,
    width: float,
    scale: float,
) -> None:
    """A path a change, ``left`` in the middle of each bar: a year of nights has thousands."""
    paths: dict[str, list[str]] = {}
    for left, night in nights:
        for side, sign in ((_UP, -1), (_DOWN, 1)):
            below = 0
            for change in side:
                number = night.changes.get(change, 0)
                if not number:
                    continue
                start, end = (scale * math.log10(1 + each) for each in (below, below + number))
                below += number
                bar = (
                    f"M{_short(left)} {_short(axis + sign * start)}v{_short(sign * (end - start))}"
                )
                paths.setdefault(change.value, []).append(bar)
        if night.compared and not _most(night):
            # Nothing changed: seen, and not left out.
            paths.setdefault("same", []).append(f"M{_short(left)} {axis - 1.5}v3")
    for kind, found in paths.items():
        _add(root, "path", d="".join(found), kind=f"bar {kind}", **{"stroke-width": _short(width)})


def _short(pixels: float) -> str:
    return f"{round(pixels, 1):g}"


def _dates(root: ET.Element, runs: Sequence[str], slot: float, y: float) -> None:
    """As many days as there is room for."""
    step = math.ceil(len(runs) / ((_WIDTH - _LEFT) / 90))
    for number in range(0, len(runs), step):
        _text(root, _LEFT + slot * number, y, runs[number][: len("2026-11-22")])


def _legend(root: ET.Element, y: float) -> None:
    x = float(_LEFT)
    for change in (*_UP, *_DOWN):
        group = _add(root, "g")
        _swatch(group, x, y, change.value)
        where = "above" if change in _UP else "below"
        _text(group, x + 19, y, f"{change.value} ({where})")
        x += 150
    _add(root, "path", d=f"M{x + 7:g} {y - 5.5:g}v3", kind="bar same", **{"stroke-width": "14"})
    _text(root, x + 19, y, "nothing changed")


def _swatch(parent: ET.Element, x: float, y: float, kind: str) -> None:
    _add(
        parent, "path", d=f"M{x + 7:g} {y + 2:g}v-14", kind=f"bar {kind}", **{"stroke-width": "14"}
    )


def _root(width: int, height: int, title: str) -> ET.Element:
    view = {"viewBox": f"0 0 {width} {height}", "width": str(width), "height": str(height)}
    root = ET.Element("svg", {"class": "plot", "role": "img", "aria-label": title, **view})
    _add(root, "rect", kind="ground", width=str(width), height=str(height))
    return root


def _add(parent: ET.Element, tag: str, *, kind: str = "", **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {**({"class": kind} if kind else {}), **attributes})


def _text(
    parent: ET.Element, x: float, y: float, words: str, *, anchor: str = "", kind: str = ""
) -> None:
    attributes = {"x": f"{x:g}", "y": f"{y:g}"}
    if anchor:
        attributes["text-anchor"] = anchor
    _add(parent, "text", kind=kind, **attributes).text = spelled(words)


def _written(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode")
