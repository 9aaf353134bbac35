"""The README as GitHub shows it: how long it is, and whether its tables fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page

from compat.report.write import write_reports
from compat.runs.store import load
from tests.conftest import RECORDED
from tests.published import PUBLISHED
from tests.report.made import results
from tests.report.test_page import browser, page

__all__ = ["browser", "page"]

# GitHub's column, its font and the room that it leaves in a cell of a table.
COLUMN_PX, SCREEN_PX, MOST_SCREENS = 1012, 900, 6
STYLE = """
article { width: 1012px; margin: 0 auto; font: 16px/1.5 'Noto Sans', Helvetica, Arial, sans-serif }
p, ul, table, details { margin: 0 0 16px }
table { display: block; width: max-content; max-width: 100%; overflow: auto;
  border-collapse: collapse }
th, td { padding: 6px 13px; border: 1px solid }
code { padding: .2em .4em; font: 85% monospace; white-space: break-spaces }
"""
WIDE = """all => all.filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => each.closest("details")?.querySelector("summary").textContent ?? "first screen")"""


@pytest.fixture(scope="module", params=["of a few cells", "as they are published"])
def reports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "as they are published":
        return PUBLISHED / "reports"
    folder = tmp_path_factory.mktemp("reports")
    write_reports(folder, results(load(RECORDED)), "README.md")
    return folder


@pytest.fixture
def readme(page: Page, reports: Path, tmp_path: Path) -> Page:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    html = parser.render((reports / "README.md").read_text("utf-8"))
    for drawing in reports.glob("*.svg"):
        shutil.copy(drawing, tmp_path)
    path = tmp_path / "readme.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><article>{html}</article>",
        encoding="utf-8",
    )
    page.set_viewport_size({"width": 1280, "height": SCREEN_PX})
    page.goto(path.as_uri())
    return page


def test_it_has_few_screens_until_something_is_unfolded(readme: Page) -> None:
    height = readme.evaluate("document.body.scrollHeight")
    assert height < MOST_SCREENS * SCREEN_PX


def test_what_a_reader_decides_by_comes_first(readme: Page) -> None:
    top = readme.locator("h2").first.bounding_box()
    assert top is not None
    assert top["y"] < SCREEN_PX / 4
    assert readme.locator("h2").all_text_contents()[:2] == [
        "What you can delete, and from which torch on",
        "Which builds are ready",
    ]


def test_no_table_is_wider_than_the_column(readme: Page) -> None:
    readme.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert readme.locator("table").count() > 10
    assert readme.locator("table").evaluate_all(WIDE) == []


def test_every_drawing_is_there(readme: Page) -> None:
    readme.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    images = readme.locator("img")
    assert images.evaluate_all("all => all.every(each => each.naturalWidth > 500)")
    assert images.count() > 0


def test_every_fold_is_closed_again(readme: Page) -> None:
    """What is not would take the headings after it along."""
    assert readme.locator("details h2").count() == 0


def test_the_browser_measures(browser: Browser) -> None:
    """A table that is too wide is found: what the others rest on."""
    page = browser.new_page()
    page.set_content(f"<style>{STYLE}</style><article><table><tr><td>{'x' * 300}</table></article>")
    assert page.locator("table").evaluate_all(WIDE) == ["first screen"]
    page.close()
