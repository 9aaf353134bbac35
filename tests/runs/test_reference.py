from __future__ import annotations

from pathlib import Path

import pytest

from compat.errors import UsageError
from compat.runs.model import SCHEMA_VERSION
from compat.runs.reference import refer
from compat.runs.store import save
from tests.conftest import make_build, make_cell, make_run

RUN = make_run(
    [
        make_build("2.12.1", aliases=("2.12", "stable")),
        make_build("2.13.0", aliases=("2.13", "stable")),
        make_build("2.13.0-py3.10", aliases=("2.13",)),
        make_build("2.13.0", aliases=("2.13",), device="cuda"),
        make_build("2.14.1", aliases=("2.14",), device="cuda"),
    ],
    [make_cell("2.12.1", "a.b")],
)


@pytest.fixture
def latest(tmp_path: Path) -> Path:
    save(RUN, tmp_path / "run.json")
    return tmp_path / "run.json"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("2.12.1", "2.12.1"),
        ("2.12", "2.12.1"),
        ("2.13.0", "2.13.0"),
        ("2.13.0 cuda", "2.13.0 cuda"),
        ("2.13.0-py3.10", "2.13.0-py3.10"),
        ("2.14.1", "2.14.1 cuda"),
        ("2.14", "2.14.1 cuda"),
    ],
)
def test_a_build_of_the_latest_run(text: str, label: str, latest: Path) -> None:
    build = refer(text, latest, latest.parent).build
    assert build is not None
    assert build.label == label


def test_a_file_and_the_latest(latest: Path) -> None:
    assert refer("latest", latest, latest.parent).run == RUN
    assert refer(str(latest), latest.with_name("none"), latest.parent).run == RUN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2.13", "'2.13' is several builds of the latest run: 2.13.0, 2.13.0 cuda"),
        ("stable", "is several builds"),
        ("2.99", "which has 2.12.1, 2.13.0, 2.13.0-py3.10, 2.13.0 cuda, 2.14.1 cuda"),
        ("2026-01-01", "no run of that day"),
        ("/", "expected a run.json"),
    ],
)
def test_what_is_meant_is_not_guessed(text: str, said: str, latest: Path) -> None:
    with pytest.raises(UsageError, match=said):
        refer(text, latest, latest.parent)


def test_a_run_of_another_version_is_refused(latest: Path) -> None:
    old = latest.with_name("old.json")
    old.write_text(
        latest.read_text().replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 1')
    )
    with pytest.raises(UsageError, match=r"expected a run\.json of this version: .*old\.json"):
        refer(str(old), latest, latest.parent)
