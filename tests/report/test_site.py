from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compat.commands.compared import compare_named, side_of
from compat.document.escape import spelled
from compat.findings.expectations import load_expectations
from compat.findings.model import ExpectationFinding, Use
from compat.report.comparison import comparison_text
from compat.report.site import write_site
from compat.runs.answers import Change
from compat.runs.history import EMPTY
from compat.runs.model import Device, Outcome, Run, Status
from compat.runs.reference import load_latest
from compat.topics.donation.records import DeviceMemory
from tests.conftest import make_build, make_cell, make_run
from tests.published import RUN
from tests.report import year
from tests.report.hostile import HOSTILE, HOSTILE_TEXTS
from tests.report.made import results


def written(run: Run, folder: Path) -> dict[str, str]:
    write_site(results(run), folder)
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in files}


def data(text: str) -> Any:
    """What a data script hands to the page."""
    match = re.fullmatch(r"compat\('[a-z0-9/-]+', '(.*)'\);\n", text)
    assert match
    return json.loads(re.sub(r"\\(.)", r"\1", match[1]))


def hostile_run() -> Run:
    """Every text that a run can hold, hostile."""
    name = HOSTILE["markup"]
    build = replace(
        make_build(name, version=HOSTILE["direction"], note=HOSTILE["control characters"]),
        device=Device(kind="cpu", name=HOSTILE["markup"]),
    )
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason=name, version="")
    cells = [
        make_cell(
            name,
            "probe.failing",
            Outcome.FAIL,
            params={"text": text},
            reason=text,
            signature=text,
            message=text,
            raw={"Failing": {"__proto__": text, text: [text]}},
        )
        for text in HOSTILE_TEXTS
    ]
    return make_run([build, missing], cells)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = hostile_run()
    assert written(run, tmp_path / "one") == written(run, tmp_path / "two")


def test_what_an_earlier_report_left_goes_away(tmp_path: Path) -> None:
    written(hostile_run(), tmp_path / "site")
    small = written(make_run([make_build("2.13.0")], []), tmp_path / "site")
    assert not [name for name in small if name.startswith("cells/")]


def test_no_file_holds_text_that_could_be_markup_or_deceive(tmp_path: Path) -> None:
    for name, text in written(hostile_run(), tmp_path).items():
        assert "<script>alert" not in text, name
        assert "</script><img" not in text, name
        assert all(character in "\n\t" or character.isprintable() for character in text), name


def test_nothing_in_the_page_leads_elsewhere(tmp_path: Path) -> None:
    for name, text in written(make_run([make_build("2.13.0")], []), tmp_path).items():
        found = set(re.findall(r"\w+://[^\s\"')]+", text))
        assert found <= {"http://www.w3.org/2000/svg"}, name


def test_the_policy_forbids_what_is_not_the_pages_own(tmp_path: Path) -> None:
    html = written(hostile_run(), tmp_path)["index.html"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in html
    assert not re.search(r"<(script|style)>| style=| on\w+=", re.sub(r"&lt;.*?&gt;", "", html))


def test_one_letter_a_cell_and_a_note_where_one_is_due(tmp_path: Path) -> None:
    cells = [
        make_cell("2.13.0", "a.b", params={"path": "aot"}),
        make_cell("2.14.0", "a.b", Outcome.FAIL, params={"path": "aot"}, signature="X @ torch"),
        make_cell("2.14.0", "a.c", Outcome.NOT_RUN, reason="the machine lacked something"),
    ]
    run = make_run([make_build("2.13.0"), make_build("2.14.0")], cells)
    matrix = data(written(run, tmp_path)["matrix-data.js"])
    (first, second) = matrix["probes"]
    assert first["checks"] == [["a.b[aot]", "builtin", ["aot"], "pf", {"1": 0}, [], [1], [1]]]
    assert second["checks"] == [["a.c", "builtin", [], ".n", {"1": 1}, [], [1], []]]
    assert matrix["notes"] == ["X @ torch", "the machine lacked something"]
    assert [column["date"] for column in matrix["columns"]] == ["2026-11-22", "2026-11-22"]


def test_a_cells_details_are_in_the_file_of_its_probe(tmp_path: Path) -> None:
    cell = make_cell("2.13.0", "a.b", Outcome.FAIL, message="E  it's\n\\n", raw={"A": {"n": 1}})
    files = written(make_run([make_build("2.13.0")], [cell]), tmp_path)
    [[detail]] = data(files["cells/0.js"])
    assert detail["message"] == "E  it's\n\\n"
    assert detail["record"] == {"n": 1}
    assert detail["command"].endswith("--probes a.b")
    assert "signature" not in detail
    assert "repro" not in detail


def test_a_cell_of_which_a_file_can_be_made_names_the_command(tmp_path: Path) -> None:
    params = {"graph": "rows-interleaved", "path": "standalone"}
    cells = [
        make_cell("2.11.0", "corpus.right", Outcome.ERROR, params=params),
        make_cell("2.13.0", "corpus.right", params=params),
    ]
    run = make_run([make_build("2.11.0"), make_build("2.13.0")], cells)
    [[red, green]] = data(written(run, tmp_path)["cells/0.js"])
    assert red["repro"] == f"compat repro '{cells[0].id}'"
    assert red["file"] == "reports/repro/corpus.right-rows-interleaved-standalone-2.11.0-cpu.py"
    assert not {"repro", "file"} & green.keys()


def test_a_build_says_when_it_was_last_verified(tmp_path: Path) -> None:
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason="no answer", version="")
    run = make_run([make_build("2.13.0"), missing], [make_cell("2.13.0", "a.b")])
    html = written(run, tmp_path)["index.html"]
    assert re.search(r'<th scope="row">2\.13\.0</th>.*\n<td>2026-11-22</td>', html)
    assert re.search(r'<th scope="row">nightly</th>.*\n<td>never</td>', html)


def test_charts_have_their_numbers_as_a_table(tmp_path: Path) -> None:
    memory = DeviceMemory(
        buffer_mb=256, kept_mb=512, donated_mb=250, kept_reserved_mb=600, donated_reserved_mb=300
    )
    cell = make_cell("2.13.0", "cuda.donation_memory", device="cuda", record=memory)
    html = written(make_run([make_build("2.13.0", device="cuda")], [cell]), tmp_path)["index.html"]
    assert html.count('class="pygal-chart"') == 1
    assert "<title>2.13.0 cuda: 512</title>" in html
    assert "<td>512</td><td>250</td>" in html


@pytest.mark.slow
def test_a_year_of_nightlies_is_small_at_first_view(tmp_path: Path) -> None:
    run = year.latest()
    write_site(results(run, year.history()), tmp_path)
    later = (tmp_path / f"{name}-data.js" for name in ("history", "changes"))
    lazy = {*later, *tmp_path.glob("cells/*")}
    files = {path: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    assert sum(size for path, size in files.items() if path not in lazy) < 300_000
    assert sum(files.values()) < 3_000_000


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain – 文 ♥", "plain – 文 ♥"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egnp", "\\u202egnp"),
        ("\ud800\u2028", "\\ud800\\u2028"),
    ],
)
def test_spelled(given: str, shown: str) -> None:
    assert spelled(given) == shown


def test_a_failure_says_whether_it_is_expected(tmp_path: Path) -> None:
    run = make_run(
        [make_build("2.13.0")],
        [make_cell("2.13.0", "a.b", Outcome.FAIL), make_cell("2.13.0", "a.c")],
    )
    files = written(run, tmp_path)
    assert data(files["cells/0.js"])[0][0]["expected"] == "no"
    assert "expected" not in data(files["cells/1.js"])[0][0]


def test_cells_of_two_subjects_are_two_rows(tmp_path: Path) -> None:
    cells = [
        replace(make_cell("2.13.0", "a.b", outcome), subject=subject)
        for subject, outcome in (("vllm-0.30.0", Outcome.PASS), ("vllm-0.33.0", Outcome.FAIL))
    ]
    files = written(make_run([make_build("2.13.0")], cells), tmp_path)
    (probe,) = data(files["matrix-data.js"])["probes"]
    assert [(check[0], check[3]) for check in probe["checks"]] == [
        ("vllm-0.30.0:a.b", "p"),
        ("vllm-0.33.0:a.b", "f"),
    ]
    past = data(files["history-data.js"])
    assert len(past["columns"]) == 1
    assert {"vllm-0.30.0:a.b", "vllm-0.33.0:a.b"} <= {check for check, _ in past["checks"]}


def test_what_was_expected_stands_with_its_reason(tmp_path: Path) -> None:
    run = make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.b", Outcome.FAIL)])
    (cell,) = run.cells
    expectation = ExpectationFinding(
        probe="a.b",
        builds="",
        reason="known <since> long",
        link="vllm#1",
        review_by="2027-01-01",
        overdue=False,
        answer="",
        use=Use.USED,
        cells=(cell.id,),
    )
    found = results(run)
    findings = replace(
        found.findings,
        expectations=(expectation,),
        expected=(cell.id,),
        failed_controls={cell.id: "the control sees nothing"},
    )
    write_site(replace(found, findings=findings), tmp_path)
    html = (tmp_path / "index.html").read_text("utf-8")
    assert "Expected to end badly: 1" in html
    assert "known &lt;since&gt; long" in html
    assert "failed controls: 1" in html
    assert "the control sees nothing" in html


def test_two_builds_differ_as_much_as_on_the_command_line(tmp_path: Path) -> None:
    """In what others ship as well; what only one side was asked is counted apart."""
    run = load_latest(RUN)
    made = results(run, expectations=load_expectations())
    write_site(made, tmp_path)
    changes = data((tmp_path / "changes-data.js").read_text("utf-8"))
    sides = [side_of(text, RUN, tmp_path, EMPTY, load_expectations()) for text in ("2.12", "2.13")]
    comparison = compare_named(*sides, EMPTY)
    told = changes["pairs"]["2.12.1-cpu..2.13.0-cpu"]
    said = comparison_text(comparison, {}).splitlines()
    assert told["said"] == [f"{said[1]}.", *said[2 : said.index("")]]
    rows = Counter(changes["texts"][change] for change, *_ in told["rows"])
    assert rows == {
        change.value: number
        for change, number in comparison.totals.items()
        if number and change not in {Change.SAME, Change.UNKNOWN}
    }
    checks = {changes["texts"][check] for _, check, *_ in told["rows"]}
    assert any(check.startswith("vllm-") for check in checks)
