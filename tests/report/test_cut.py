from __future__ import annotations

import pytest

from compat.report.cut import ISSUE_LIMIT, cut

ROWS = "".join(f"| row {number} | ✅ |\n" for number in range(10_000))
TEXT = (
    f"# Report\n\n## Findings\n\nOne.\n\n## Table\n\n| a | b |\n|---|---|\n{ROWS}\n## Legend\n\nx\n"
)


def test_what_fits_stays_as_it_is() -> None:
    assert cut("short\n", ISSUE_LIMIT, "rest.md") == "short\n"


@pytest.mark.parametrize("limit", [300, 1000, 20_000, ISSUE_LIMIT])
def test_what_does_not_is_cut_between_lines_and_says_what_is_missing(limit: int) -> None:
    text = cut(TEXT, limit, "https://example.org/rest")
    assert len(text.encode()) <= limit
    kept, _, note = text.partition("\n**Cut here**: ")
    assert TEXT.startswith(kept)
    assert "among them Legend." in note
    assert "[The rest](https://example.org/rest)" in note
    left_out = int(note.split()[0])
    assert len(kept.splitlines()) + left_out == len(TEXT.splitlines())


def test_a_table_does_not_end_with_its_head() -> None:
    head = TEXT[: TEXT.index("| row 0")]
    note = len(cut(TEXT, 300, "rest").partition("\n**Cut")[2].encode()) + 20
    kept = cut(TEXT, len(head.encode()) + note, "rest").partition("\n**Cut")[0]
    assert not kept.rstrip().endswith(("|", "## Table"))
