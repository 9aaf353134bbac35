"""The page in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from compat.report.site import write_site
from compat.runs.model import Outcome, Run, Status
from compat.runs.reference import load_latest
from compat.topics.gates.records import Capability
from tests.conftest import make_build, make_cell, make_run
from tests.published import PUBLISHED, RUN
from tests.report import year
from tests.report.hostile import HOSTILE, HOSTILE_TEXTS
from tests.report.made import results
from tests.report.test_site import hostile_run

NAMES = ("chromium", "chromium-browser", "google-chrome")
SPELLED = {
    HOSTILE["control characters"]: "a\\x00b\\x07c\\x1b[31md\\x7fe\\u2028f\\ud800",
    HOSTILE["direction"]: HOSTILE["direction"].replace("\u202e", "\\u202e"),
}
FAILING = "paths.outputs[mlp-aot]@2.14.0-cuda"
PAGE = PUBLISHED / "reports" / "site" / "index.html"
FIRST_TABLE_S = 0.5
# When the matrix has its first row.
WATCH = """new MutationObserver((_, watch) => {
    if (!document.querySelector("tr.probe")) return;
    window.firstRow = performance.now();
    watch.disconnect();
}).observe(document, { childList: true, subtree: true })"""
MOST_TAB_STOPS, SMALLEST_TARGET_PX = 60, 24
# What the keyboard stops at, and what is clicked that stands in no sentence.
TAB_STOPS = """() => [
    ...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")
].filter((each) => each.tabIndex >= 0 && each.checkVisibility()).length"""
TARGETS = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
    .map((each) => each.closest("label.chip") ?? each)
    .filter((each) => each.checkVisibility() && getComputedStyle(each).display !== "inline")
    .filter((each) => !each.classList.contains("skip-link"))
    .map((each) => ({ words: each.textContent, ...each.getBoundingClientRect().toJSON() }))"""
# What a reader sees of the state: filters, rows, folds, and the cell that is open.
SHOWN = """() => ({
    fields: [...document.querySelectorAll("form input, form select")]
        .map((each) => each.type === "checkbox" ? each.checked : each.value),
    rows: [...document.querySelectorAll("#table tbody tr")].map((each) => each.textContent),
    folds: [...document.querySelectorAll("details[open]")].map((each) => each.id),
    cell: document.querySelector("dialog[open] h2")?.textContent,
})"""


# Of what is seen of a glyph: its colour and what is behind it, each as red, green and blue.
COLOURS = """(selector) => [...document.querySelectorAll(selector)].map((each) => {
    const behind = [...ancestors(each)].map((one) => getComputedStyle(one).backgroundColor);
    const opaque = behind.find((colour) => colour.startsWith("rgb("));
    const seen = [getComputedStyle(each).color, opaque];
    return seen.map((colour) => colour.match(/[\\d.]+/g).map(Number));
    function* ancestors(one) { for (; one; one = one.parentElement) yield one; }
})"""
LEAST_CONTRAST = 4.5


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the published run."""
    run = load_latest(RUN)
    return site(run, tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    # A sandbox is not to be had as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may say nothing in the console and ask for nothing but files."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file://", "data:,"))] == []


def luminance(colour: Sequence[float]) -> float:
    """As WCAG 2 defines it."""
    parts = [each / 255 for each in colour[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def small_run() -> Run:
    """Two releases and a nightly that could not be had, on both devices."""
    builds = [
        make_build(name, device=kind, **changes)
        for kind in ("cpu", "cuda")
        for name, changes in (
            ("2.13.0", {}),
            ("2.14.0", {}),
            ("nightly", {"status": Status.UNAVAILABLE, "reason": "no answer", "version": ""}),
        )
    ]
    cells = []
    for build in builds:
        where = {"device": build.device.kind}
        missing = build.status is Status.UNAVAILABLE
        for path in ("eager", "standalone", "aot"):
            outcome = Outcome.NOT_RUN if missing else Outcome.PASS
            changes = {}
            if f"paths.outputs[mlp-{path}]@{build.id}" == FAILING:
                outcome = Outcome.FAIL
                changes = {
                    "reason": "off by 3",
                    "signature": "AssertionError: off by … @ torch._inductor:f",
                    "message": "E  assert 3 < 1",
                }
            params = {"model": "mlp", "path": path}
            cells.append(
                make_cell(
                    build.id.name, "paths.outputs", outcome, params=params, **where, **changes
                )
            )
        outcome = Outcome.NOT_RUN if missing else Outcome.UNSUPPORTED
        cells.append(make_cell(build.id.name, "donation.reuse", outcome, **where))
    return make_run(builds, cells)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return site(small_run(), tmp_path_factory.mktemp("small"))


def site(run: Run, folder: Path) -> str:
    write_site(results(run), folder)
    return (folder / "index.html").as_uri()


def cells_shown(page: Page) -> list[str]:
    found = page.locator("[data-cell]").evaluate_all("all => all.map(each => each.dataset.cell)")
    assert isinstance(found, list)
    return found


def test_the_matrix_is_a_table_with_headers(page: Page, small: str) -> None:
    page.goto(small)
    table = page.get_by_role("table", name="How each check ended on each build")
    expect(table.get_by_role("columnheader")).to_have_count(7)
    expect(table.get_by_role("rowheader", name="outputs")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("4 of 4 checks on 6 of 6 builds.")


def test_a_probe_shows_its_worst_outcome_and_opens_to_its_checks(page: Page, small: str) -> None:
    page.goto(small)
    row = page.locator("tr.probe")
    expect(row.locator("td").nth(4)).to_have_text("fail: 1 of 3new1/3")
    expect(row.locator("td").nth(4).locator(".hidden")).to_have_text("fail: 1 of 3")
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_attribute("aria-expanded", "true")
    assert FAILING in cells_shown(page)
    row.get_by_role("button").click()
    assert FAILING not in cells_shown(page)


def test_filters_are_in_the_address_and_what_is_left_is_said(page: Page, small: str) -> None:
    page.goto(small)
    page.get_by_label("Device").select_option("cuda")
    page.get_by_label("Path").select_option("aot")
    page.get_by_label("Text").fill("off by")
    page.get_by_text("By outcome").click()
    page.locator(".chip", has_text="fail").click()
    expect(page.get_by_role("status")).to_have_text("1 of 4 checks on 3 of 6 builds.")
    assert page.url.endswith("#device=cuda&path=aot&outcome=fail&q=off%20by&open=more-filters")
    assert set(cells_shown(page)) == {
        "paths.outputs[mlp-aot]@2.13.0-cuda",
        FAILING,
        "paths.outputs[mlp-aot]@nightly-cuda",
    }
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("status")).to_have_text("4 of 4 checks on 6 of 6 builds.")


def marked_run(folder: Path) -> str:
    """Two failures on 2.14, of which one is known and the other one has two subjects."""
    cells = [
        *(make_cell(build, "a.known", Outcome.FAIL) for build in ("2.13.0", "2.14.0")),
        make_cell("2.13.0", "a.new"),
        make_cell("2.14.0", "a.new", Outcome.FAIL),
        *(make_cell(build, "a.quiet") for build in ("2.13.0", "2.14.0")),
    ]
    cells += [replace(cell, subject="vllm-0.33.0") for cell in cells[2:]]
    builds = [make_build(name) for name in ("2.13.0", "2.14.0")]
    found = results(make_run(builds, cells))
    known = tuple(cell.id for cell in cells if cell.probe == "a.known")
    unexpected = tuple(cell for cell in found.findings.unexpected if cell not in known)
    findings = replace(found.findings, expected=known, unexpected=unexpected)
    write_site(replace(found, findings=findings), folder)
    return (folder / "index.html").as_uri()


def test_only_what_is_unexpected(page: Page, tmp_path: Path) -> None:
    page.goto(marked_run(tmp_path))
    page.locator(".chip", has_text="unexpected").click()
    expect(page.get_by_role("status")).to_have_text("2 of 5 checks on 2 of 2 builds.")
    assert page.url.endswith("#only=unexpected")
    assert "a.new@2.14.0-cpu" in cells_shown(page)
    page.get_by_label("Subject").select_option("vllm-0.33.0")
    expect(page.get_by_role("status")).to_have_text("1 of 5 checks on 2 of 2 builds.")
    assert page.url.endswith("#subject=vllm-0.33.0&only=unexpected")
    assert set(cells_shown(page)) == {
        "vllm-0.33.0:a.new@2.13.0-cpu",
        "vllm-0.33.0:a.new@2.14.0-cpu",
    }


def test_only_what_answers_otherwise(page: Page, tmp_path: Path) -> None:
    """The newest release is compared with the one before."""
    page.goto(f"{marked_run(tmp_path)}#subject=builtin&only=changed")
    expect(page.get_by_role("status")).to_have_text("1 of 5 checks on 2 of 2 builds.")
    expect(page.get_by_label("changed answers")).to_be_checked()
    expect(page.locator("[data-cell]").last).to_have_accessible_name(
        "fail, changed: a.new@2.14.0-cpu"
    )


def test_a_known_failure_looks_unlike_a_new_one(page: Page, tmp_path: Path) -> None:
    page.goto(f"{marked_run(tmp_path)}#subject=builtin")
    known = page.get_by_role("button", name="fail, known failure: a.known@2.14.0-cpu")
    new = page.get_by_role("button", name="fail, changed: a.new@2.14.0-cpu")
    expect(new).to_contain_text("new")
    expect(known).not_to_contain_text("new")
    looks = [
        each.evaluate("each => getComputedStyle(each.parentElement).backgroundImage")
        for each in (known, new)
    ]
    assert looks[0] != looks[1]


def test_what_two_ask_for_at_once_both_get(page: Page, tmp_path: Path) -> None:
    """A cell that a permalink opens, and the history that it stands beside."""
    page.goto(marked_run(tmp_path))
    expect(page.get_by_role("status")).to_contain_text("checks")
    asked = "Promise.all(['a', 'b'].map(() => load('changes-data'))).then(([a, b]) => a === b)"
    never = "new Promise((resolve) => setTimeout(resolve, 5000, 'never'))"
    assert page.evaluate(f"Promise.race([{asked}, {never}])") is True


def test_a_permalink_survives_every_click_and_a_reload(page: Page, tmp_path: Path) -> None:
    page.goto(f"{marked_run(tmp_path)}#q=a.")
    expect(page.get_by_role("status")).to_contain_text("5 of 5 checks")
    page.locator("tr.probe button").first.click()
    page.locator(".chip", has_text="changed answers").click()
    page.locator("tr.probe button").first.click()
    page.get_by_text("By outcome").click()
    page.locator("summary", has_text="Failures that are not expected").click()
    page.get_by_role("link", name="Legend").click()
    page.locator("#ready").get_by_role("link").last.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("dialog").locator(".past")).not_to_have_text("…")
    before = page.evaluate(SHOWN)
    assert before["cell"]
    assert set(before["folds"]) >= {"more-filters", "new-failures"}
    for part in ("q=a.", "only=changed", "open=", "at=legend", "cell="):
        assert part in page.url
    page.reload()
    expect(page.get_by_role("dialog").locator(".past")).not_to_have_text("…")
    assert page.evaluate(SHOWN) == before


def test_few_tab_stops_at_the_start(page: Page) -> None:
    page.goto(PAGE.as_uri())
    expect(page.locator("tr.probe").first).to_be_visible()
    assert 20 < page.evaluate(TAB_STOPS) < MOST_TAB_STOPS


@pytest.mark.parametrize("width", [1280, 390])
def test_targets_are_large_enough(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{PAGE.as_uri()}#outcome=fail&cell=donation.copies[donated]@2.13.0-cpu")
    expect(page.get_by_role("dialog").locator(".past svg").first).to_be_visible()
    found = page.evaluate(TARGETS)
    assert len(found) > MOST_TAB_STOPS
    assert [each for each in found if min(each["width"], each["height"]) < SMALLEST_TARGET_PX] == []


def test_series_differ_in_more_than_their_colour(page: Page) -> None:
    page.goto(PAGE.as_uri())
    strokes = """all => all.map(c => [...c.querySelectorAll(".series path.line")].map(line => {
        const style = getComputedStyle(line);
        return `${style.strokeDasharray} ${style.strokeWidth}`;
    }))"""
    fills = """all => all.map(c => [...c.querySelectorAll(".legend rect")].map(rect => {
        const style = getComputedStyle(rect);
        return `${style.fill === "none"} ${style.fillOpacity} ${style.strokeDasharray}`;
    }))"""
    lines = page.locator(".chart.lines").evaluate_all(strokes)
    bars = page.locator(".chart.bars").evaluate_all(fills)
    assert max(map(len, lines)) > 4
    assert max(map(len, bars)) > 1
    for chart in (*lines, *bars):
        assert len(chart) == len(set(chart))


def test_the_history_has_a_column_a_night_and_shows_answers(page: Page, tmp_path: Path) -> None:
    found = results(year.latest(), year.history())
    write_site(found, tmp_path)
    page.goto(f"{(tmp_path / 'index.html').as_uri()}#device=cpu&q=probe7 model3 copies&at=history")
    table = page.get_by_role("table", name="What changed on nightly on cpu")
    table.get_by_role("columnheader").first.wait_for()
    heads = table.get_by_role("columnheader").all_text_contents()
    assert heads[:2] == ["check or answer", "all runs"]
    assert heads[2:] == [f"2026-11-{day}" for day in range(15, 23)]
    (row,) = table.locator("tbody tr").all()
    expect(row.get_by_role("rowheader")).to_have_text("family2.probe7[model3-standalone].copies")
    told = row.locator("td").all_text_contents()[1:]
    assert {"=", "0 copies", "1 copy", "2 copies"} >= set(filter(None, told))
    assert len(set(told)) > 1
    # A night on which the check failed says nothing new of it.
    assert len(told) == 8


def test_a_filter_that_nothing_fits(page: Page, small: str) -> None:
    page.goto(f"{small}#q=nowhere")
    expect(page.get_by_role("status")).to_contain_text("Nothing fits the filter.")
    expect(page.get_by_label("Text")).to_have_value("nowhere")


def test_a_cell_opens_with_all_that_is_known(page: Page, small: str) -> None:
    page.goto(f"{small}#outcome=fail")
    page.get_by_role("button", name=f"fail, changed: {FAILING}").click()
    dialog = page.get_by_role("dialog", name="paths.outputs[mlp-aot]")
    expect(dialog).to_contain_text("2.14.0 on cuda")
    for text in (
        "off by 3",
        "AssertionError: off by … @ torch._inductor:f",
        "E  assert 3 < 1",
        "nox -s matrix -- --builds ==2.14.0 --device cuda --depth full --fresh --probes",
        "cuda, 1 run",
    ):
        expect(dialog).to_contain_text(text)
    assert page.url.endswith(f"#outcome=fail&cell={FAILING}")
    page.go_back()
    expect(dialog).to_be_hidden()


def test_a_permalink_of_a_cell_opens_it(page: Page, small: str) -> None:
    page.goto(f"{small}#cell={FAILING}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("E  assert 3 < 1")
    dialog.get_by_role("link", name="2.13.0 cuda pass").click()
    expect(dialog).to_contain_text("2.13.0 on cuda")
    expect(dialog).not_to_contain_text("assert 3")


def test_a_permalink_of_a_cell_that_is_not_there(page: Page, small: str) -> None:
    page.goto(f"{small}#cell=no.such[cell]@2.0-cpu")
    expect(page.get_by_role("dialog", name="No such cell")).to_contain_text("no.such[cell]@2.0-cpu")


def test_a_permalink_of_a_comparison_shows_what_differs(page: Page, small: str) -> None:
    page.goto(f"{small}#device=cuda&compare=2.13.0..2.14.0")
    expect(page.get_by_role("status")).to_have_text(
        "1 of 4 checks differ between 2.13.0-cuda and 2.14.0-cuda."
    )
    assert cells_shown(page) == ["paths.outputs[mlp-aot]@2.13.0-cuda", FAILING]
    expect(page.get_by_label("Compare")).to_have_value("2.13.0-cuda")


def test_a_permalink_of_a_comparison_with_a_build_that_is_not_there(page: Page, small: str) -> None:
    page.goto(f"{small}#compare=2.13.0..2.99")
    expect(page.get_by_role("status")).to_contain_text("Not in this report: 2.13.0..2.99.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_not_known_is_seen(page: Page, published: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(published)
    expect(page.locator("tr.probe").first).to_be_visible()
    for selector in ("#upgrade td .not-run", "#table td .not-run", "#table td .unsupported"):
        found = page.evaluate(COLOURS, selector)
        assert found, selector
        assert min(contrast(*each) for each in found) >= LEAST_CONTRAST, selector
    assert "❔" not in page.locator("#upgrade table").inner_text()


def test_the_matrix_fits_a_small_screen_or_scrolls_on_its_own(page: Page, published: str) -> None:
    for width, fits in ((1280, True), (800, False)):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(published)
        row = page.locator("tr.probe th").first
        expect(row).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        region = page.locator("#matrix-scroll")
        wider = region.evaluate("each => each.scrollWidth > each.clientWidth")
        assert wider is not fits
        before = row.bounding_box()
        region.evaluate("each => each.scrollTo(200, 0)")
        assert row.bounding_box() == before


def test_links_within_the_page_leave_the_filters_alone(page: Page, small: str) -> None:
    page.goto(f"{small}#outcome=fail")
    page.get_by_role("link", name="Legend").click()
    expect(page.get_by_role("status")).to_have_text("1 of 4 checks on 6 of 6 builds.")


def test_the_keyboard_is_enough(page: Page, small: str) -> None:
    page.goto(small)
    focused = page.locator(":focus")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("To the matrix")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Text"))
    page.keyboard.type("paths aot")
    expect(page.get_by_role("status")).to_contain_text("1 of 4 checks")
    tab_to(page, page.locator("tr.probe button"))
    page.keyboard.press("Enter")
    expect(focused).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("data-cell", "paths.outputs[mlp-aot]@2.14.0-cpu")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("2.14.0 on cpu")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(focused).to_have_attribute("data-cell", "paths.outputs[mlp-aot]@2.14.0-cpu")


def tab_to(page: Page, target: Locator) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("the keyboard does not get there")


def test_unknown_looks_unlike_pass_and_unlike_unsupported(page: Page, small: str) -> None:
    page.goto(small)
    looks = [
        page.locator(f"td.is-{outcome} .glyph").first.evaluate(
            """glyph => {
                const cell = getComputedStyle(glyph.closest("td"));
                const shape = document.querySelector(glyph.firstChild.getAttribute("href"));
                return [getComputedStyle(glyph).color, shape.innerHTML, cell.backgroundImage];
            }"""
        )
        for outcome in ("pass", "unsupported", "not-run")
    ]
    colours, shapes, backgrounds = zip(*looks, strict=True)
    assert len(set(colours)) == len(set(shapes)) == 3
    assert backgrounds[:2] == ("none", "none")
    assert "gradient" in backgrounds[2]


def test_dark_where_the_reader_asks_for_it(page: Page, small: str) -> None:
    page.goto(small)
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(252, 252, 251)", "rgb(20, 23, 26)"]


@pytest.mark.parametrize("address", ["", f"#cell={FAILING}", "#compare=2.13.0..2.14.0"])
def test_on_a_phone_only_tables_scroll_sideways(page: Page, small: str, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(small + address)
    expect(page.get_by_role("status")).not_to_be_empty()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_hostile_texts_are_shown_as_text(page: Page, tmp_path: Path) -> None:
    run = hostile_run()
    page.goto(site(run, tmp_path))
    page.locator("tr.probe button").click()
    expect(page.locator("[data-cell]")).to_have_count(len(HOSTILE_TEXTS))
    for number, text in enumerate(HOSTILE_TEXTS):
        page.locator("[data-cell]").nth(number).press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.locator("dt", has_text="__proto__")).to_be_visible()
        shown = dialog.locator("pre").all_text_contents()
        assert shown.count(SPELLED.get(text, text)) == 3  # reason, signature, message
        page.keyboard.press("Escape")
    assert page.locator("script:not([src])").count() == 0
    assert page.locator("main b, main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_id_makes_a_permalink(page: Page, tmp_path: Path, text: str) -> None:
    cell = make_cell("2.13.0", "a.b", params={"text": text})
    address = site(make_run([make_build("2.13.0")], [cell, make_cell("2.13.0", "a.b")]), tmp_path)
    page.goto(address)
    page.locator("tr.probe button").click()
    page.locator("[data-cell]").first.click()
    page.reload()
    title = page.get_by_role("dialog").locator("h2")
    expect(title).to_have_text(f"a.b[{SPELLED.get(text, text)}]", use_inner_text=False)


def test_checks_that_only_the_past_knows_have_a_cell_too(page: Page, small: str) -> None:
    page.goto(f"{small}#cell=build.whole@2.13.0-cpu")
    dialog = page.get_by_role("dialog", name="build.whole")
    expect(dialog).to_contain_text("pass: passed")
    expect(dialog).to_contain_text("2.13.0 on cpu, 1 run")


def test_a_year_of_nightlies(page: Page, tmp_path: Path) -> None:
    run = year.latest()
    write_site(results(run, year.history()), tmp_path)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.add_init_script(WATCH)
    page.goto((tmp_path / "index.html").as_uri())
    expect(page.locator("tr.probe")).to_have_count(20)
    # The best of several: the machine may be busy with something else.
    seconds = []
    for _ in range(5):
        page.reload()
        expect(page.locator("tr.probe")).to_have_count(20)
        seconds.append(page.evaluate("window.firstRow") / 1000)
    assert min(seconds) < FIRST_TABLE_S, seconds
    assert "history-data.js" not in asked
    page.locator("#history").scroll_into_view_if_needed()
    expect(page.locator("#history h3")).to_have_text(["nightly on cpu", "nightly on cuda"])
    expect(page.locator("#history .strip")).to_have_count(80)
    page.locator("#history").get_by_role("link", name="Compare the newest two").last.click()
    expect(page.get_by_role("status")).to_contain_text(
        "differ between 2.16.0.dev20261121-cuda and 2.16.0.dev20261122-cuda."
    )
    page.get_by_role("button", name="Reset").click()
    page.goto(
        f"{page.url.partition('#')[0]}#compare=2.16.0.dev20260401-cpu..2.16.0.dev20260420-cpu"
    )
    expect(page.get_by_role("status")).to_contain_text("differ between 2.16.0.dev20260401-cpu and")
    page.locator("[data-cell]").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Only the outcome is kept.")
    expect(dialog).to_contain_text("nightly on cpu, 365 runs")


def test_a_comparison_tells_the_answers_that_differ(page: Page, tmp_path: Path) -> None:
    """Both probes pass: what changed is what they found out."""
    cells = [
        make_cell(
            build,
            "gates.capability",
            params={"feature": "fake_mode"},
            record=Capability(gate=False, capability=there, floor=None, source="here"),
        )
        for build, there in (("2.13.0", False), ("2.14.0", True))
    ]
    run = make_run([make_build("2.13.0"), make_build("2.14.0")], cells)
    for pair in ("2.13.0-cpu..2.14.0-cpu", "2.14.0-cpu..2.13.0-cpu"):
        page.goto(f"{site(run, tmp_path)}#compare={pair}")
        page.reload()
        changes = page.locator("#changes")
        expect(changes).to_contain_text(
            "From 2.13.0-cpu to 2.14.0-cpu: 5 answers compared: 0 lost, 0 worse, 1 gained, 4 same."
        )
        expect(changes).to_contain_text("gained gates.capability[fake_mode].available: no → yes")
    changes.get_by_role("link").click()
    expect(page.get_by_role("dialog")).to_contain_text("gates.capability[fake_mode]")
