from __future__ import annotations

from xml.etree import ElementTree

from compat.report.badge import badge
from compat.report.paragraph import paragraph
from compat.runs.model import Status
from tests.conftest import make_build, make_cell, make_run
from tests.report.made import results

HOSTILE = "2.13.0<script>alert(1)</script>&\x1b\u202e\n`x` [z](http://e)"


def test_a_hostile_name_stays_text() -> None:
    run = make_run([make_build(HOSTILE, version="")], [make_cell(HOSTILE, "a.b")])
    picture = badge(results(run).assessment)
    assert "<script>" not in picture
    assert ElementTree.fromstring(picture.replace("\u202e", "!!")).get("height") == "20"
    text = paragraph(results(run))
    assert "\n" not in text
    assert "\x1b" not in text
    assert "`2.13.0<script>alert(1)</script>& 'x' [z](http://e)`" in text


def test_a_run_in_which_nothing_was_run_is_not_green() -> None:
    run = make_run([make_build("nightly", status=Status.UNAVAILABLE)], [])
    assert "nothing was run" in badge(results(run).assessment)
    assert "as expected" not in badge(results(run).assessment)
