"""The drawings: what stands where, and that nothing is told by a colour alone."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from compat.findings.results import Results
from compat.report.markdown import render
from compat.report.plots import Plot, nights_plot, plots, support_plot
from compat.runs.model import Cell
from compat.topics.gates.records import Capability
from compat.topics.tracing_context.records import Needed
from tests.conftest import ROOT, make_build, make_cell, make_run
from tests.report import year
from tests.report.made import results

RELEASES = ("2.10.0", "2.11.0", "2.13.0")
NAMESPACE = "{http://www.w3.org/2000/svg}"


def capability(build: str, there: bool) -> Cell:
    record = Capability(gate=there, capability=there, floor="2.11", source="<here>")
    return make_cell(build, "gates.capability", record=record, params={"feature": "donate"})


def needed(build: str, needed: bool) -> Cell:
    record = Needed(needed=needed, failure="no" if needed else "")
    return make_cell(build, "tracing_context.needed", record=record, params={"batch": "static"})


@pytest.fixture(scope="module")
def told() -> Results:
    cells = [capability(build, build != "2.10.0") for build in RELEASES]
    cells += [needed(build, build != "2.13.0") for build in RELEASES]
    builds = [make_build(name) for name in (*RELEASES, "2.16.0.dev20261122")]
    return results(make_run(builds, cells))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def test_a_bar_goes_from_the_first_release_to_the_last(told: Results) -> None:
    (plot,) = support_plot(told)
    root = parsed(plot.svg)
    assert [each.text for each in root.iter("title")] == [
        "donate: there on 2.11 and 2.13",
        "donate: unknown on 2.16.0.dev20261122",
        "hiding Dynamo's tracing context: needed on 2.10 and 2.11",
        "hiding Dynamo's tracing context: unknown on 2.16.0.dev20261122",
    ]
    there, missing = root.findall("g[@class='there']/rect"), root.findall("g[@class='needed']/rect")
    (left, right), (first, last) = map(_ends, (there[0], missing[0]))
    assert first < left < last < right


def _ends(bar: ET.Element) -> tuple[float, float]:
    left = float(bar.attrib["x"])
    return left, left + float(bar.attrib["width"])


def test_bars_are_told_apart_by_words_and_by_what_they_look_like(told: Results) -> None:
    (plot,) = support_plot(told)
    root = parsed(plot.svg)
    assert root.find("g[@class='there']/text") is not None
    assert root.find("g[@class='needed']/text") is not None
    assert root.find("g[@class='unknown']/rect") is None
    for one, other in (("gained", "better"), ("lost", "worse"), ("better", "changed")):
        assert _strokes(one) != _strokes(other)
    style = (ROOT / "compat" / "report" / "page" / "plot.css").read_text("utf-8")
    assert re.search(r"\.needed rect \{[^}]*stroke-dasharray", style)
    assert re.search(r"\.unknown path \{[^}]*stroke-dasharray", style)


def _strokes(kind: str) -> str:
    style = (ROOT / "compat" / "report" / "page" / "plot.css").read_text("utf-8")
    found = re.search(rf"\.{kind} \{{ stroke: [^;]*;(.*?)\}}", style)
    assert found
    return found[1]


def test_a_file_needs_nothing_else(told: Results) -> None:
    for plot in plots(told):
        root = parsed(plot.as_file())
        assert root.tag == f"{NAMESPACE}svg"
        assert root.find(f"{NAMESPACE}style") is not None
        assert not re.search(r"<script|href|url\(", plot.as_file())


def test_the_readme_shows_a_file_for_each_drawing(told: Results) -> None:
    assert [f"]({plot.name})" in render(told) for plot in plots(told)] == [True]


def test_one_run_draws_no_nights(told: Results) -> None:
    assert list(nights_plot(told)) == []


@pytest.mark.slow
def test_a_year_of_nights_says_what_each_changed() -> None:
    (plot,) = nights_plot(results(year.latest(), year.history()))
    root = parsed(plot.svg)
    for kind in ("lost", "gained", "changed"):
        paths = root.findall(f"path[@class='bar {kind}']")
        assert len(paths) == len(year.DEVICES)
        for path in paths:
            bars = re.findall(r"M([\d.]+) [\d.]+v-?[\d.]+", path.attrib["d"])
            assert len(bars) > year.DAYS / 4
            assert 0 < max(map(float, bars)) + float(path.attrib["stroke-width"]) / 2 <= 1000
    compared, *told = _numbers(plot)
    assert year.CHECKS < compared < 4 * year.CHECKS
    assert sum(told) < compared / 2
    assert len(plot.svg) < 80_000


def _numbers(plot: Plot) -> list[int]:
    """Of a night: how many answers were compared, and how many of them in which way."""
    return [int(cell) for cell in plot.table.rows[4][2:] if isinstance(cell, str)]
