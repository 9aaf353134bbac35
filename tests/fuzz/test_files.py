"""Whatever a file holds is data, or one line that names the file."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from compat.builds.config import DEFAULT_FILE as BUILDS
from compat.builds.config import load_builds
from compat.errors import UsageError
from compat.findings.expectations import DEFAULT_FILE as EXPECTATIONS
from compat.findings.expectations import NONE, load_expectations
from compat.findings.results import results_of
from compat.nightly.plan import load_job
from compat.report.markdown import render
from compat.runs.history import EMPTY, append, load_history, save_history
from compat.runs.model import Outcome, to_json
from compat.runs.store import RunFolder, load, merge, save
from compat.topics.donation.records import Copies
from compat.topics.gates.records import Capability
from tests.conftest import ENVIRONMENT, SOURCE, make_build, make_cell, make_run
from tests.fuzz.damage import damaged, how_many
from tests.report.made import results

pytestmark = pytest.mark.slow

# Of the processor's time; the slowest took a tenth of it.
MOST_S = 5.0

PIECES = [
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\x00", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b'"\\ud800"', b"[" * 5000, b'{"a":' * 2000, b"9" * 5000, b"-1", b"1e999", b"NaN", b"null"),
    *(b"true", b'""', b'"kind": "cell"', b'"kind": "end"', b'"schema_version": 99', b'"pass"'),
    *(b"2.13.0-cpu", b"@", b"-py3.10-", b"a.b", b"\xe2\x80\xae", b"::error::", b"a" * 100_000),
    *(b"0001-01-01T000000.000Z", b"9999-99-99T999999.999Z", b"1970-01-01", b"+00:00"),
    *(b"= 9", b"[[expectation]]", b"builds = ", b">=2.11", b"==" * 200, b"*" * 500),
]
RUN = make_run(
    [make_build("2.12.1"), make_build("2.13.0")],
    [
        make_cell(
            "2.12.1",
            "gates.capability",
            params={"feature": "fake_mode"},
            record=Capability(gate=False, capability=True, floor=None, source="vllm#1"),
        ),
        make_cell("2.13.0", "donation.copies", params={"path": "x"}, record=Copies(copies=1)),
        make_cell(
            "2.13.0",
            "donation.flag",
            Outcome.FAIL,
            reason="it broke",
            signature="AssertionError: no @ torch._inductor:f",
            message="E  assert 0",
        ),
    ],
)
HISTORY = results(RUN).history


@contextmanager
def watched() -> Iterator[None]:
    """Fails where the body takes too much of the processor's time."""

    def ring(*_: object) -> NoReturn:
        pytest.fail(f"an input takes more than {MOST_S:g} s")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def read_all(path: Path, seeds: list[bytes], read: Callable[[int], object]) -> Counter[str]:
    """Have ``path`` read with each damaged content; how often it was data, and how often a line."""
    ended: Counter[str] = Counter()
    for number, content in enumerate(damaged(seeds, PIECES, how_many())):
        path.write_bytes(content)
        line = ""
        with watched():
            try:
                read(number)
            except UsageError as error:
                line = str(error)
        assert len(line.splitlines()) <= 1, number
        assert len(line) < 1000, number
        ended["line" if line else "data"] += 1
    return ended


def saved(path: Path, save_it: Callable[[Path], None]) -> bytes:
    save_it(path)
    return path.read_bytes()


def test_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    seed = saved(path, lambda path: save(RUN, path))

    def read(number: int) -> None:
        run = load(path)
        if number % 10 == 0:
            render(results_of(run, HISTORY, NONE))

    assert read_all(path, [seed], read)["line"]


def test_a_history(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    seed = saved(path, lambda path: save_history(HISTORY, path))
    entries = list(results(RUN).entries)

    def read(_: int) -> None:
        append(load_history(path), entries)

    assert read_all(path, [seed], read)["line"]


def test_a_stream(tmp_path: Path) -> None:
    """A line that is damaged costs itself alone, so that there is always a run."""
    folder = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
    stream = folder.stream(make_build("2.13.0").id)
    stream.append("build", to_json(make_build("2.13.0")))
    stream.append("environment", ENVIRONMENT)
    cells = [to_json(cell) for cell in RUN.cells]
    names = ("probe", "params", "outcome", "record", "reason", "signature", "message")
    stream.append("plan", *({**{n: c[n] for n in names[:2]}, "description": "?"} for c in cells))
    stream.append("cell", *({name: cell[name] for name in names} for cell in cells))
    stream.append("end", {"status": "ok", "reason": "", "seconds": {}})

    def read(number: int) -> None:
        run = merge([folder])
        if number % 10 == 0:
            render(results_of(run, EMPTY, NONE))

    assert read_all(stream.path, [stream.path.read_bytes()], read)["line"] == 0


def test_a_header(tmp_path: Path) -> None:
    """A run whose header is damaged is passed over, and hides none of the others."""
    whole, broken = (RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host) for _ in range(2))
    path = broken.path / "header.json"

    def read(_: int) -> None:
        assert whole in RunFolder.all(tmp_path)

    assert read_all(path, [path.read_bytes()], read)["line"] == 0


def test_a_plan(tmp_path: Path) -> None:
    wheel = {
        "version": "2.15.0+cpu",
        "channel": "stable",
        "filename": "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "url": "http://127.0.0.1/torch.whl",
        "sha256": "0" * 64,
        "index": None,
        "python": "3.11",
    }
    job: dict[str, Any] = {
        "specs": ["2.15", "nightly"],
        "wheel": wheel,
        "note": "",
        "device": "cpu",
        "depth": "default",
        "runner": "ubuntu-24.04",
        "minutes": 60,
        "cache": "compat-job-1",
    }
    path = tmp_path / "jobs.json"
    ended = read_all(path, [json.dumps([job]).encode()], lambda _: load_job(tmp_path, "2.15.0-cpu"))
    assert ended["line"]


@pytest.mark.parametrize(
    ("seed", "reader"), [(EXPECTATIONS, load_expectations), (BUILDS, load_builds)]
)
def test_a_file_that_people_write(
    seed: Path, reader: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / seed.name
    assert read_all(path, [seed.read_bytes()], lambda _: reader(path))["line"]
