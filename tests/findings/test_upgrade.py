"""Where a gate or a workaround can go, and what is never said without a cell that shows it."""

from __future__ import annotations

import pytest

from compat.document.parts import Code, Strong
from compat.findings.upgrade import Upgrade, upgrade
from compat.report.upgrade import costs, deleted, upgrade_notes, upgrade_table
from compat.runs.ids import BUILTIN, BuildId
from compat.runs.model import Build, Cell, Outcome, Run, Status
from compat.topics.gates.records import Capability, SharedFakeMode
from compat.topics.gates.upgrade import FAKE_MODE_PATCH as PATCH
from compat.topics.matrix import Matrix
from compat.topics.registry import TOPICS
from compat.topics.tracing_context.records import Needed
from compat.topics.upgrade import Kind, Says, UpgradeRow, minimum
from compat.topics.workarounds.records import Tried
from tests.conftest import make_build, make_cell, make_run

FLOOR = "2.13.0.dev"
RELEASES = ("2.10.0", "2.11.0", "2.12.1", "2.13.0")


def capability(build: str, there: bool, *, device: str = "cpu", floor: str | None = FLOOR) -> Cell:
    record = Capability(gate=there, capability=there, floor=floor, source="here")
    params = {"feature": "donate"}
    return make_cell(build, "gates.capability", record=record, params=params, device=device)


def needed(build: str, needed: bool, *, device: str = "cpu") -> Cell:
    record = Needed(needed=needed, failure="no" if needed else "")
    params = {"batch": "static"}
    return make_cell(build, "tracing_context.needed", record=record, params=params, device=device)


def of(*cells: Cell, builds: list[Build]) -> Upgrade:
    matrix = Matrix(make_run(builds, list(cells)))
    return upgrade(matrix, {topic.name: topic.find(matrix) for topic in TOPICS})


def releases(*names: str, device: str = "cpu") -> list[Build]:
    return [make_build(name, device=device) for name in names or RELEASES]


def row_of(found: Upgrade, name: object) -> UpgradeRow:
    (row,) = [row for row in found.rows if row.name == name]
    return row


@pytest.mark.parametrize(
    ("says", "free", "after", "unknown"),
    [
        ("nnyy", "2.12.1", "2.11.0", ()),
        ("yyyy", "2.10.0", None, ()),
        ("nnnn", None, "2.13.0", ()),
        # What comes back holds it again.
        ("nyny", "2.13.0", "2.12.1", ()),
        ("nyyn", None, "2.13.0", ()),
        ("ny?y", "2.11.0", "2.10.0", ("2.12.1",)),
        ("ny??", "2.11.0", "2.10.0", ("2.12.1", "2.13.0")),
        ("n???", None, "2.10.0", ("2.11.0", "2.12.1", "2.13.0")),
        ("????", None, None, RELEASES),
    ],
)
def test_minimum(says: str, free: str | None, after: str | None, unknown: tuple[str, ...]) -> None:
    line = [BuildId(f"{name}-cpu") for name in RELEASES]
    words = {"n": Says.NOT_THERE, "y": Says.THERE, "?": Says.UNKNOWN}
    row = UpgradeRow(
        kind=Kind.GATE,
        name="x",
        says={build: words[letter] for build, letter in zip(line, says, strict=True)},
        cells={},
    )
    found = minimum(row, line)
    assert (found.build and found.build.name, found.after and found.after.name) == (free, after)
    assert tuple(build.name for build in found.unknown) == unknown


def test_what_was_not_tested_is_the_first_column_and_never_frees_anything() -> None:
    missing = [
        make_build(name, status=Status.UNAVAILABLE, version="", channel="", reason="no index")
        for name in ("2.14.rc", "nightly")
    ]
    cells = [capability(name, name > "2.12") for name in RELEASES]
    found = of(*cells, builds=[*releases(), *missing])
    table = upgrade_table(found)
    assert table.headers[1:4] == ["delete from", "nightly", "2.14.rc"]
    (row,) = table.rows
    assert row[:5] == [Code("donate"), "2.12.1", "❔", "❔", Strong("there")]
    assert row[-1] == "from 2.13.0.dev on"
    notes = list(upgrade_notes(found))
    assert (
        "2.12.1 may be later than necessary: no release between 2.11.0 and it was asked." in notes
    )
    assert "Nothing is known of nightly and 2.14.rc, so a row may change there." in notes


def test_a_workaround_without_a_control_is_unknown_there() -> None:
    cpu, cuda = releases(), releases("2.13.0", device="cuda")
    cells = [needed(name, name == "2.10.0") for name in RELEASES]
    found = of(*cells, needed("2.13.0", False, device="cuda"), builds=[*cpu, *cuda])
    row = row_of(found, "hiding Dynamo's tracing context")
    assert row.on(BuildId("2.13.0-cpu")) is Says.NOT_NEEDED
    assert row.on(BuildId("2.13.0-cuda")) is Says.UNKNOWN
    assert deleted(row, found.lines[0]) == "2.11.0"
    assert deleted(row, found.lines[1]) == "❔"
    assert [mark for mark, _ in costs(found)] == ["¹"]
    (gpu,) = [note for note in upgrade_notes(found) if note.startswith("GPU")]
    assert gpu.endswith("Not known on 2.13: hiding Dynamo's tracing context.")


def test_a_workaround_that_nothing_on_a_device_is_known_to_need_is_not_known_there() -> None:
    def trial(build: str, *, needed: bool, device: str = "cpu") -> Cell:
        without = "RuntimeError: no" if needed else ""
        record = Tried(without=without, with_it="")
        params = {"name": "scalar-mask"}
        return make_cell(build, "workarounds.needed", record=record, params=params, device=device)

    cells = [trial(name, needed=name < "2.12") for name in RELEASES]
    on_gpu = [trial(name, needed=False, device="cuda") for name in ("2.11.0", "2.13.0")]
    builds = [*releases(), *releases("2.11.0", "2.13.0", device="cuda")]
    (gpu,) = [
        note for note in upgrade_notes(of(*cells, *on_gpu, builds=builds)) if note[:4] == "GPU:"
    ]
    assert gpu == "GPU: the same, wherever both are known. Not known on 2.13 and 2.11: scalar-mask."


def test_another_device_that_says_otherwise_is_told() -> None:
    found = of(
        capability("2.13.0", True),
        capability("2.13.0", False, device="cuda"),
        builds=[*releases("2.13.0"), *releases("2.13.0", device="cuda")],
    )
    assert list(upgrade_notes(found)) == [
        "The table says what was seen on a CPU.",
        "GPU: donate on 2.13: not.",
        "Asked on a GPU: 2.13.0 (H100).",
    ]


def test_two_releases_of_a_series_that_differ_are_both_told() -> None:
    found = of(
        capability("2.12.0", False),
        capability("2.12.1", True),
        builds=releases("2.12.0", "2.12.1"),
    )
    assert upgrade_table(found).rows[0][2] == "2.12.0 not, 2.12.1 there"
    (row,) = found.rows
    assert deleted(row, found.lines[0]) == "2.12.1"


def test_what_nobody_gates_has_no_gate_to_delete() -> None:
    found = of(capability("2.13.0", True, floor=None), builds=releases("2.13.0"))
    assert upgrade_table(found).rows[0][1::2] == ["no gate", "never passed"]


def test_the_patch_of_the_fake_mode_is_one_row() -> None:
    """Its own probe says where it is needed, that of the gates what to pass instead."""
    tried = {
        "2.12.1": Tried(without="AssertionError: no", with_it=""),
        "2.13.0": Tried(without="", with_it=""),
    }
    cells = [
        make_cell(build, "workarounds.needed", record=record, params={"name": PATCH})
        for build, record in tried.items()
    ]
    argument = {"way": "argument"}
    shared = SharedFakeMode(max_abs=0.0)
    cells += [
        make_cell("2.12.1", "gates.shared_fake_mode", Outcome.UNSUPPORTED, params=argument),
        make_cell("2.13.0", "gates.shared_fake_mode", record=shared, params=argument),
    ]
    found = of(*cells, builds=releases("2.12.1", "2.13.0"))
    (row,) = (row for row in found.rows if row.kind is Kind.WORKAROUND)
    assert row.name == PATCH
    assert list(row.says.values()) == [Says.NEEDED, Says.NOT_NEEDED]
    assert row.about
    assert costs(found) == [("¹", row)]
    assert row.cost == "fake_mode= of standalone_compile does the same on 2.13.0."


def test_what_a_gate_lets_run_no_more_can_go_though_torch_is_no_better() -> None:
    """The rule of size-asserts ends at 2.12, and torch still checks at each call."""
    still = Tried(without="slow", with_it="")
    names = ("2.11.0", "2.12.1", "2.13.0")
    cells = [
        make_cell(name, "workarounds.needed", record=still, params={"name": "size-asserts"})
        for name in names
    ]
    found = of(*cells, builds=releases(*names))
    (row,) = found.rows
    assert deleted(row, found.lines[0]) == "not yet"
    assert (
        "size-asserts: vLLM 0.33.0 lets it run on < 2.12.0.dev0 alone, so it does nothing from "
        "2.12.1 on, although torch needs it there as well."
    ) in [*upgrade_notes(found)]


def test_so_many_columns_as_fit_and_the_rest_is_named() -> None:
    names = [f"2.{minor}.0" for minor in range(1, 11)]
    cells = [capability(name, int(name.split(".")[1]) % 2 == 0) for name in names]
    found = of(*cells, builds=releases(*names))
    assert len(upgrade_table(found).headers) == 1 + 6 + 2
    assert "Left out here, since they are older: 2.4, 2.3, 2.2 and 2.1." in [*upgrade_notes(found)]
    alike = of(*[capability(name, name == "2.10.0") for name in names], builds=releases(*names))
    assert upgrade_table(alike).headers[2:4] == ["2.10", "2.1 to 2.9"]


def test_a_run_that_asked_nothing_has_no_table() -> None:
    run: Run = make_run(releases("2.13.0"), [make_cell("2.13.0", "a.b", Outcome.PASS)])
    matrix = Matrix(run)
    found = upgrade(matrix, {topic.name: topic.find(matrix) for topic in TOPICS})
    assert not upgrade_table(found).rows
    assert BUILTIN not in found.subjects
