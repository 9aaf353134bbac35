"""What a GPU says, and where it differs from a CPU, in words and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.runs.answers import Ending, Value
from compat.runs.ids import BUILTIN, BuildId
from compat.topics.devices.finding import Asked, Devices, Differences, Paths, Twins
from compat.topics.devices.records import (
    Fakes,
    Graphs,
    KernelRuns,
    PeakMemory,
    Precision,
    ScaledMatmul,
    Stream,
    Triton,
    Tuning,
    UserKernel,
)
from compat.topics.matrix import Matrix
from compat.topics.words import GLYPHS, labels

_MB = 1 << 20


def say(_: Matrix, devices: Devices) -> Iterable[Sentence]:
    """What downstreams would not expect of a GPU."""
    yield from _say(
        "compiling allocates as much as the inputs",
        "Compiling from fakes takes as much device memory as the inputs, or more",
        devices.allocating,
    )
    yield from _say(
        "TF32 is used against orders",
        "A product uses TF32 although float32's precision was asked for",
        devices.disobedient,
    )


def _say(title: str, text: str, found: tuple[Paths, ...]) -> Iterable[Sentence]:
    """One sentence for all builds; those with the same checks are named together."""
    together: dict[str, list[BuildId]] = {}
    for paths in found:
        where = ", ".join(check.arguments for check in paths.checks)
        together.setdefault(where, []).append(paths.build)
    if together:
        said = "; ".join(f"{where} on {labels(builds)}" for where, builds in together.items())
        yield Sentence(
            title=f"GPU: {title}",
            text=f"{text}: {said}.",
            cells=tuple(cell for paths in found for cell in paths.cells),
        )


def show(matrix: Matrix, devices: Devices) -> Iterable[Section]:
    """Check × build."""
    asked = {build for on in devices.checks.values() for build in on}
    columns = [build.id for build in matrix.builds if build.id in asked]
    yield Section(
        title="What only a GPU can be asked",
        intro="*Triton*: how many of the generated kernels are Triton's. *bits*: whether what was "
        "loaded, or called on another stream, gives the same ones (`=`) or others within tolerance "
        "(`≈`). *TF32*: whether the product shows its error. *compiling*: by how much compiling "
        "from fakes raises the peak of device memory, beside the size of the inputs. *kernels*: "
        "how many ran in one call, a library's among them, how many were generated, whether the "
        "paths agree, or each with itself in another process.",
        tables=[
            Table(
                headers=["check", *columns],
                rows=[
                    [Code(check), *(_cell(on.get(build)) for build in columns)]
                    for check, on in devices.checks.items()
                ],
            )
        ],
    )


def _cell(asked: Asked | None) -> str:
    """How a check ended, and what it found out."""
    if asked is None:
        return ""
    return " ".join(filter(None, [GLYPHS[asked.outcome], _found(asked.record)]))


def _found(record: Any) -> str:
    """What a record says, in a few words; nothing where there is none."""
    words = _WORDS.get(type(record))
    return words(record) if words else ""


def _triton(record: Triton) -> str:
    return f"{record.triton} of {record.kernels} are Triton's, {_off(record.max_abs)}"


def _user_kernel(record: UserKernel) -> str:
    return f"{_bits(record.bitwise)} {record.handles} saved, {_off(record.max_abs)}"


def _graphs(record: Graphs) -> str:
    return f"{record.replays} replayed, {record.skips} skipped, {_off(record.max_abs)}"


def _tuning(record: Tuning) -> str:
    return f"{record.compared} compared, {record.templates} templates, {_off(record.max_abs)}"


def _scaled_matmul(record: ScaledMatmul) -> str:
    relative = "" if record.max_rel is None else f" ({record.max_rel:.2g} relative)"
    return _off(record.max_abs) + relative


def _precision(record: Precision) -> str:
    def used(yes: bool, error: float | None) -> str:
        return ("TF32" if yes else "no TF32") + ("" if error is None else f" ({error:.1e})")

    rules = {"matmul": record.tf32_allowed, "cuDNN": record.tf32_allowed_in_cudnn}
    allowed = " and ".join(name for name, rule in rules.items() if rule) or "nothing"
    return (
        f"{used(record.tf32_used, record.error)}, "
        f"eager {used(record.tf32_used_in_eager, record.eager_error)}; allowed in {allowed}"
    )


def _stream(record: Stream) -> str:
    late = "" if record.asleep else "; another stream would not be told apart"
    return f"{_bits(record.bitwise)} {_off(record.max_abs)}{late}"


def _fakes(record: Fakes) -> str:
    return (
        f"compiling {_megabytes(record.compiling_b)} "
        f"(reserved {_megabytes(record.compiling_reserved_b)}), "
        f"running {_megabytes(record.running_b)}, inputs {_megabytes(record.inputs_b)}"
    )


def _kernels(record: KernelRuns) -> str:
    between = _agreement(record.same_kernels, record.same_launches, record.same_bits)
    paths = "; ".join(
        f"{path} runs {seen.launched}, generates {seen.generated}, in two processes "
        f"{_agreement(seen.same_kernels, seen.same_launches, seen.same_bits)}"
        for path, seen in record.paths.items()
    )
    return f"paths: {between}; {paths}"


def _agreement(kernels: bool, launches: bool, bits: bool) -> str:
    """How far two runs agree: in kernels, in their launches, in bits."""
    if not kernels:
        return "other kernels" if bits else "other kernels and bits"
    shapes = "same launches" if launches else "same kernels in other blocks"
    return shapes if bits else f"{shapes}, other bits"


def _peak_memory(record: PeakMemory) -> str:
    paths = "; ".join(
        f"{path}: compiling {_range(seen.compiling_b)}, first call {_range(seen.first_b)}, "
        f"running {_range(seen.running_b)}"
        for path, seen in record.paths.items()
    )
    return f"{paths}; inputs {_megabytes(record.inputs_b)}"


def _range(sizes_b: tuple[int, ...]) -> str:
    """The least and the most of what several processes saw."""
    least, most = _megabytes(min(sizes_b)), _megabytes(max(sizes_b))
    return most if least == most else f"{least} to {most}"


_WORDS: Mapping[type, Callable[[Any], str]] = {
    Triton: _triton,
    UserKernel: _user_kernel,
    Graphs: _graphs,
    Tuning: _tuning,
    ScaledMatmul: _scaled_matmul,
    Precision: _precision,
    Stream: _stream,
    Fakes: _fakes,
    KernelRuns: _kernels,
    PeakMemory: _peak_memory,
}


def _bits(same: bool) -> str:
    return "=" if same else "≈"


def _off(max_abs: float | None) -> str:
    return "not finite" if max_abs is None else f"off by {max_abs:.2g}"


def _megabytes(size_b: int) -> str:
    return f"{round(size_b / _MB)} MB"


def say_differences(found: Differences) -> Iterable[Sentence]:
    """How much of what was compared differs, and what could not be compared."""
    if found.twins:
        pairs = ", ".join(f"{pair.gpu.label} with {pair.cpu.label}" for pair in found.twins)
        number = len(found.differences)
        checks = len({each.answer.check for each in found.differences})
        yield Sentence(
            title="where a GPU differs from a CPU",
            text=f"{number} answers of {checks} checks differ. Compared: {pairs}.{_pythons(found)}"
            if number
            else f"No answer differs. Compared: {pairs}.{_pythons(found)}",
            cells=tuple(cell for each in found.differences for cell in each.cells),
        )
    if found.alone:
        yield Sentence(
            title="GPUs that were compared with nothing",
            text=f"This run has no build on a CPU with the torch of {labels(found.alone)}.",
            cells=(),
        )


def _pythons(found: Differences) -> str:
    other = [pair.gpu for pair in found.twins if not pair.same_python]
    return f" Python is another one there than on {labels(other)}." if other else ""


def show_differences(found: Differences) -> Iterable[Section]:
    """Answer × device, for the builds that answer so."""
    rows: list[list[Text]] = [
        [
            Code(each.answer if each.subject == BUILTIN else f"{each.subject}:{each.answer}"),
            _value(each.cpu),
            _value(each.gpu),
            _builds(each.twins),
        ]
        for each in found.differences
    ]
    yield Section(
        title="Where a GPU differs from a CPU",
        intro="The same torch, by release and commit, and the same check: how it ended, or an "
        "answer with a good side, is another one. What is measured and what is generated differs "
        "by nature, and is left out.",
        tables=[Table(headers=["answer", "on the CPU", "on the GPU", "builds"], rows=rows)],
    )


def _builds(twins: tuple[Twins, ...]) -> str:
    """The builds on a GPU; those whose twin has another Python are marked."""
    same = labels(pair.gpu for pair in twins if pair.same_python)
    other = labels(pair.gpu for pair in twins if not pair.same_python)
    return ", ".join(filter(None, [same, other and f"{other} (under another Python)"]))


def _value(value: Value) -> str:
    """An answer's value as people read it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:.4g}"
        case str():
            return value
        case Ending():
            return ": ".join(filter(None, [value.outcome.value, value.signature]))
        case tuple():
            return f"{len(value)} outputs"
