from __future__ import annotations

from compat.document.parts import Chart, Section, Sentence, Table
from compat.runs.model import Cell, Outcome
from compat.topics.donation.records import DeviceMemory, Donor, Flag, Outputs, Reuse, Time
from compat.topics.donation.topic import TOPIC
from tests.topics.cells import make_build, make_cell, make_matrix
from tests.topics.donation.examples import (
    BACK_AS_A_LIST,
    copies_on,
    memory_on,
    not_used_on,
    time_on,
    used_on,
)


def said(*cells: Cell) -> list[Sentence]:
    matrix = make_matrix(*cells)
    return list(TOPIC.say(matrix, TOPIC.find(matrix)))


def shown(*cells: Cell) -> dict[str, Section]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in TOPIC.show(matrix, TOPIC.find(matrix))}


def drawn(*cells: Cell) -> list[Chart]:
    matrix = make_matrix(*cells)
    return [each for each in TOPIC.draw(matrix, TOPIC.find(matrix)) if each.labels]


def table(section: Section, number: int = 0) -> Table:
    found = section.tables[number]
    assert all(len(row) == len(found.headers) for row in found.rows)
    return found


def test_nothing_is_said_of_an_empty_run() -> None:
    matrix = make_matrix(builds=(make_build("2.13.0-cpu"),))
    found = TOPIC.find(matrix)
    assert list(TOPIC.say(matrix, found)) == []
    assert not any(each.rows for section in TOPIC.show(matrix, found) for each in section.tables)
    assert not any(chart.labels for chart in TOPIC.draw(matrix, found))


def test_copies_are_said_once_for_all_builds_alike_and_never_for_two_devices() -> None:
    sentences = said(
        *copies_on("2.12.1-cpu", 1, 0),
        *copies_on("2.13.0-cpu", 1, 0),
        *copies_on("2.14.1-cpu", 4, 1),
        *copies_on("2.13.0-cuda", 1, 0),
    )
    assert [each.title for each in sentences] == [
        "donation: 1 → 0 copies of the graph on 2.12.1, 2.13.0",
        "donation: 4 → 1 copies of the graph on 2.14.1",
        "donation: 1 → 0 copies of the graph on 2.13.0 cuda",
    ]
    assert [each.text for each in sentences[:2]] == [
        "standalone_compile copies the graph once, and not at all with donate_graph_module=True.",
        "standalone_compile copies the graph 4 times, and once with donate_graph_module=True.",
    ]
    assert len(sentences[0].cells) == 4


def test_what_it_saves() -> None:
    (sentence,) = said(
        time_on("2.13.0-cpu", "1000"),
        time_on("2.13.0-cpu", "5000", saved=(0.1, 0.3)),
        memory_on("2.13.0-cpu"),
    )
    assert sentence.title == "donation: what it saves on 2.13.0"
    assert sentence.text == (
        "Copying a graph of 1000 nodes takes 0.0215 s, compiling it 2.14 s. Saving not resolved "
        "(95 % interval -0.1…+0.1 s, 6 pairs). "
        "Copying a graph of 5000 nodes takes 0.0215 s, compiling it 2.14 s. Donation saves 0.1 to "
        "0.3 s of that (95 % interval, 6 pairs). "
        "Compiling a module that owns 256 MB of buffers raises the peak memory by 275 MB; when the "
        "graph is donated, by 18 MB."
    )
    assert len(sentence.cells) == 3


def test_one_pair_of_compilations_tells_nothing() -> None:
    record = Time(
        copy_s=0.1, compile_s=99.0, saved_s=0.5, interval_s=None, pairs=1, measurable=None
    )
    (sentence,) = said(make_cell("2.13.0-cpu", record, params={"nodes": "5000"}))
    assert "was not measured: one pair only" in sentence.text


def test_a_list_for_a_tensor_is_no_longer_nothing() -> None:
    """The committed report said "what no longer does: nothing" of donors that return a list."""
    (sentence,) = said(
        used_on("2.13.0-cpu", "call", "tuple"),
        used_on("2.13.0-cpu", "donate", "tuple"),
        used_on("2.13.0-cpu", "call", "bare", **BACK_AS_A_LIST),
        used_on("2.13.0-cpu", "pickle", "bare", **BACK_AS_A_LIST),
        used_on("2.13.0-cpu", "deepcopy", works=False, returned="", failure="TypeError: no"),
        used_on("2.13.0-cpu", "compile", works=False, max_abs=None),
    )
    assert sentence.title == "donation: the graph afterwards on 2.13.0"
    form = "a graph that returns its only output bare"
    assert sentence.text == (
        "After donation these uses of the graph work: call, donate (a graph that returns a "
        "tuple). These break: "
        f"call, pickle ({form}: list(Tensor) comes back instead of Tensor); "
        f"deepcopy ({form}: TypeError: no); compile ({form}: outputs are not finite)."
    )


def test_what_is_unknown_and_what_never_worked_is_said() -> None:
    (sentence,) = said(
        used_on("2.13.0-cpu", "call", "tuple"),
        used_on("2.13.0-cpu", "pickle", "tuple", works_before=False),
        not_used_on("2.13.0-cpu", "deepcopy", Outcome.TIMEOUT),
    )
    assert sentence.text == (
        "After donation these uses of the graph work: call (a graph that returns a tuple). "
        "These break: none that was tried. "
        "These fail without donation too: pickle (a graph that returns a tuple). "
        "Not known: 1 of the uses."
    )


def test_the_overview() -> None:
    cells = [
        make_cell("2.13.0-cpu", Flag(gate=True, passed=1, calls=1), params={"batch": "static"}),
        make_cell("2.13.0-cpu", Flag(gate=True, passed=1, calls=2), params={"batch": "dynamic"}),
        *copies_on("2.13.0-cpu", 1, 0),
        make_cell("2.13.0-cpu", Outputs(max_abs=1e-3, bitwise=False, tuned=False)),
        make_cell(
            "2.13.0-cpu",
            Donor(nodes_before=6, nodes_after=9, code_changed=True),
            params={"path": "donated"},
        ),
        make_cell("2.13.0-cpu", Reuse(max_abs=2e-7, compilations=2)),
        make_cell("2.11.0-cpu", None, Outcome.UNSUPPORTED, probe="donation.reuse"),
    ]
    newer, older = table(shown(*cells)["Donation"]).rows
    assert list(newer) == [
        *("2.13.0", "1 of 1, 1 of 2", "1", "0", "", "off by 0.001"),
        *("rewritten, 6 → 9 nodes", "2 times, off by 2e-07"),
    ]
    assert list(older) == ["2.11.0", "", "", "", "", "", "", "➖"]


def test_afterwards_is_shown_by_use_and_form() -> None:
    section = shown(
        used_on("2.13.0-cpu", "call", "tuple"),
        used_on("2.13.0-cpu", "call", "bare", **BACK_AS_A_LIST),
        not_used_on("2.14.1-cpu", "call", Outcome.CRASH),
        used_on("2.14.1-cpu", "call", "tuple"),
    )["A graph that was donated"]
    assert [list(row[2:]) for row in table(section).rows] == [
        ["✅", "✅"],
        ["❌ list(Tensor) comes back instead of Tensor", "☠️"],
    ]


def test_measurements_are_shown_with_what_a_gpu_reserved() -> None:
    gpu = DeviceMemory(
        buffer_mb=256, kept_mb=256, donated_mb=0, kept_reserved_mb=258, donated_reserved_mb=2
    )
    section = shown(
        time_on("2.13.0-cpu", "1000"), memory_on("2.13.0-cpu"), make_cell("2.13.0-cuda", gpu)
    )["What donation saves"]
    assert list(table(section, 0).rows[0]) == [
        *("2.13.0", "1000", "0.0215", "2.14", "0", "-0.1 to 0.1", "6", "no"),
    ]
    assert list(table(section, 1).rows[0]) == ["2.13.0", "275 MB", "18 MB"]
    assert list(table(section, 2).rows[0]) == ["2.13.0 cuda", "256 MB", "0 MB", "258 MB", "2 MB"]


def test_charts() -> None:
    time, host = drawn(
        time_on("2.12.1-cpu", "100"),
        time_on("2.12.1-cpu", "1000"),
        time_on("2.13.0-cpu", "100"),
        memory_on("2.13.0-cpu"),
    )
    assert time.title == "Compiling a graph, and copying it: cpu"
    assert list(time.labels) == ["2.12.1", "2.13.0"]
    assert time.series["compile 1000 nodes"] == [2.14, None]
    assert time.series["copy 100 nodes"] == [0.0215, 0.0215]
    assert len(time.table.rows) == 3
    assert host.title == "Memory that donation saves: the process"
    assert host.series == {"kept": [275.0], "donated": [18.0]}
    assert host.text.endswith("kept or donated. Not measured: 2.12.1.")
