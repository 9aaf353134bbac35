"""Whatever a build says, in whatever field: nothing of it is obeyed where the report is read.

By a CommonMark parser with tables, as GitHub reads markdown; and by what a terminal and GitHub's
runner take for a command.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from packaging.specifiers import SpecifierSet
from rich.console import Console

from compat.findings.results import Results
from compat.report.advice import advice_text, ask
from compat.report.comparison import comparison_text
from compat.report.summary import print_summary
from compat.report.write import write_reports
from compat.runs.model import Device, Outcome, Run, Status
from compat.topics.records import RECORDS, encode
from tests.conftest import make_build, make_cell, make_run
from tests.findings.making import report
from tests.findings.test_unfit import PARAMS, example

MARK = "evil"
HOSTILES = {
    "html": f"<img src={MARK}.invalid onerror=x><!-- {MARK}",
    "html with a backtick": f'<a title="`" href="http://{MARK}.invalid">`x</a>',
    "autolink with a backtick": f"<http://{MARK}.invalid/`x>` <http://{MARK}.invalid>",
    "link": f"[x](http://{MARK}.invalid) ![x](http://{MARK}.invalid/x.png) [x]: {MARK}",
    "table and heading": f"{MARK} | b\n\n# {MARK}\n\n---\n1. x\n* y",
    "mention": f"@{MARK} #1 GH-1 {MARK}/{MARK}#2 @{MARK}/{MARK}",
    "address": f"https://github.com/{MARK}/x/issues/3 www.{MARK}.invalid",
    "code": f"``` {MARK}\n@{MARK} `@{MARK}`` ~~~",
    "terminal": f"\x1b[31m{MARK}\u202e\x9b\u2066\r{MARK}",
    "command": f"::error::{MARK}\n::error::{MARK}\n##[error]{MARK}\n  ::set-output name=x::{MARK}",
    "entity": f"&#64;{MARK} &lt;b&gt; &commat;{MARK}",
}
REFERENCE = re.compile(
    r"(?<![\w`])@\w|(?<!\w)#\d|\bGH-\d|\w/\w+#\d|://(?!\u200b)|\bwww\.|(?<!\w)[\w.]+@\w+\.\w",
    re.IGNORECASE,
)
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)


def hostile_run(day: int, text: str) -> Run:
    """All that a build can say, hostile, of every probe: in what passed and in what did not."""
    builds = [
        replace(
            make_build(name, device=kind, version=text, note=text, reason=text if status else ""),
            device=Device(kind=kind, name=text),
            **({"status": status} if status else {}),
        )
        for kind in ("cpu", "cuda")
        for name, status in (
            ("2.13.0", None),
            ("2.15.0", None),
            ("2.16.0", None),
            ("2.17.0", Status.BROKEN),
        )
    ]
    cells = [
        make_cell(
            build.id.name,
            probe,
            outcome,
            device=build.device.kind,
            params=PARAMS | {"try": outcome.value},
            reason=text,
            signature=text,
            message=text,
            raw=encode(probe, example(kind, text if day % 2 else f"{text}.")),
        )
        for build in builds
        if build.status is not Status.BROKEN
        for probe, kind in RECORDS.items()
        for outcome in (Outcome.PASS, Outcome.FAIL if day % 2 else Outcome.PASS)
        if outcome is Outcome.PASS or build.id.name == "2.16.0"
    ]
    run = make_run(builds, cells)
    (source,) = run.sources
    host = replace(source.host, cpu=text)
    dated = replace(source, id=f"2026-11-{day:02}T050000.000Z", host=host)
    seen = tuple(replace(cell, seen_in=cell.seen_in and dated.id) for cell in run.cells)
    return replace(run, sources=(dated,), cells=seen)


@pytest.fixture(scope="module", params=list(HOSTILES))
def hostile(request: pytest.FixtureRequest) -> Results:
    text = HOSTILES[request.param]
    return report(hostile_run(20, text), hostile_run(21, text))


@pytest.fixture(scope="module")
def reports(hostile: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    write_reports(folder, hostile, "https://example.invalid/rest")
    return folder


def tokens(markdown: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        yield token
        yield from token.children or ()


def test_no_markdown_file_obeys_it(reports: Path) -> None:
    for name in ("README.md", "issue.md", "summary.md"):
        markdown = (reports / name).read_text("utf-8")
        assert MARK in markdown, f"{name} shows nothing of it, so this proves nothing"
        for token in tokens(markdown):
            shown = f"{name}: {token.type}: {token.content[:200]}"
            if token.type in {"html_block", "html_inline", "image", "fence", "code_block"}:
                assert MARK not in token.content, shown
            if token.type == "link_open":
                assert MARK not in str(token.attrs["href"]), shown
            if token.type == "text":
                assert not REFERENCE.search(token.content), shown
        headings = re.findall(r"^#+ .*$", markdown, re.MULTILINE)
        assert not [heading for heading in headings if MARK in heading], name


def test_no_terminal_and_no_runner_obeys_it(hostile: Results, tmp_path: Path) -> None:
    out = io.StringIO()
    print_summary(hostile, tmp_path / "README.md", Console(file=out, width=200))
    texts = {
        "summary": out.getvalue(),
        "advice": advice_text(ask(hostile, SpecifierSet()), hostile),
        **{
            name: comparison_text(each, {cell.id: cell.id for cell in hostile.run.cells})
            for name, each in hostile.comparisons.items()
        },
    }
    for name, text in texts.items():
        strange = {c for c in text if c not in "\n\t\u200b" and not c.isprintable()}
        assert not strange, f"{name}: {strange}"
        assert not COMMAND.search(text), name
    assert MARK in texts["summary"]


def test_every_file_of_the_page_is_plain(reports: Path) -> None:
    for path in (reports / "site").rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert not re.search(rf"<(img|a)\b[^>]*{MARK}", text), path
            assert all(character in "\n\t" or character.isprintable() for character in text), path
