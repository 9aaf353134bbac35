"""Context inputs in words and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.inputs.finding import Case, ContextInputs, Effects, Hiding
from compat.topics.inputs.records import Inputs, OnModel
from compat.topics.matrix import Matrix, Seen
from compat.topics.words import glyphs, labels, untold


def say(_: Matrix, found: ContextInputs) -> Iterable[Sentence]:
    """Once for all builds of a device and Python on which hiding the context does the same."""
    groups: list[tuple[Effects, list[BuildId]]] = []
    for build, effects in found.effects.items():
        for same, builds in groups:
            if same == effects and builds[0].line == build.line:
                builds.append(build)
                break
        else:
            groups.append((effects, [build]))
    for effects, builds in groups:
        yield Sentence(
            title=f"tracing context: what hiding it does on {labels(builds)}",
            text=" ".join([*_say_hiding(found.cases, effects), _say_written(found.cases, effects)]),
            cells=tuple(cell for build in builds for cell in found.cells[build]),
        )


def _say_hiding(cases: Sequence[Case], effects: Effects) -> Iterable[str]:
    ways: dict[Hiding, list[str]] = {}
    for way, hiding in effects.hiding.items():
        ways.setdefault(hiding, []).append(way)
    if not ways:
        yield "No way of hiding it was tried."
    for hiding, names in ways.items():
        takes = name_cases(hiding.takes, cases) or "no inputs"
        refuses = name_cases(hiding.refuses, cases) or "no inputs"
        said = (
            f"With the context hidden (by {', '.join(names)}), compile_fx also compiles {takes}, "
            f"and refuses {refuses} that it compiles otherwise"
        )
        unknown = len(hiding.unknown)
        yield said + (f"; not known for {unknown} of {len(cases)} cases." if unknown else ".")


def _say_written(cases: Sequence[Case], effects: Effects) -> str:
    """What compile_fx writes where nothing is hidden."""
    by_cases: dict[tuple[Case, ...], list[str]] = {}
    for name, where in sorted(effects.written.items()):
        by_cases.setdefault(where, []).append(name)
    said = [f"{', '.join(names)} ({name_cases(where, cases)})" for where, names in by_cases.items()]
    return f"Without hiding, it changes in Dynamo's context: {'; '.join(said) or 'nothing'}."


def name_cases(cases: Collection[Case], among: Collection[Case]) -> str:
    """The kinds of inputs, each with its batches where these are not all that were asked about."""
    if cases and set(cases) == set(among):
        return "all inputs"
    names = []
    for inputs, batches in _batches(cases).items():
        every = set(_batches(among).get(inputs, ())) <= set(batches)
        names.append(inputs if every else f"{inputs} {', '.join(batches)}")
    return ", ".join(names)


def _batches(cases: Iterable[Case]) -> Mapping[str, list[str]]:
    batches: dict[str, list[str]] = {}
    for case in cases:
        batches.setdefault(case.inputs, []).append(case.batch)
    return batches


def show(matrix: Matrix, _: ContextInputs) -> Iterable[Section]:
    """Inputs and way of hiding × build."""
    asked = matrix.everywhere(Inputs)
    keys = dict.fromkeys(
        (c.cell.params.get("inputs", ""), c.cell.params.get("way", "")) for c in asked
    )
    rows: list[list[Text]] = [
        [
            inputs,
            Code(way),
            *(
                _taken(matrix.seen(Inputs, build.id, inputs=inputs, way=way))
                for build in matrix.builds
            ),
        ]
        for inputs, way in keys
    ]
    headers = ["inputs", "hidden by", *(build.id for build in matrix.builds)]
    yield Section(
        title="Which inputs compile_fx takes",
        intro="What `compile_fx` does inside Dynamo's context with real tensors, with Dynamo's "
        "*own* fakes, with fakes of a *foreign* mode, without and with symbols, and with fakes of "
        "two modes *mixed*. *Writes*: how many attributes of Dynamo's own context, or of its "
        "ShapeEnv, are then not what they were.",
        tables=[Table(headers=headers, rows=rows)],
    )
    yield Section(
        title="Which inputs compile_fx takes of other models",
        intro="The same of graphs that people compile, with a dynamic batch size: a transformer "
        "block, one that changes a buffer, and a decoder of `transformers`. ✅: all inputs compile "
        "and compute what eager does.",
        tables=[Table(headers=["model", "context", *headers[2:]], rows=_models(matrix))],
    )


def _models(matrix: Matrix) -> list[list[Text]]:
    """Model and whether the context is hidden × build: which inputs go wrong."""
    asked = matrix.everywhere(OnModel)
    models = dict.fromkeys((c.cell.params["model"], c.cell.params["dtype"]) for c in asked)
    return [
        [
            f"{model} {dtype}",
            "hidden" if hidden else "as it is",
            *(
                _wrong(matrix.seen(OnModel, build.id, model=model, dtype=dtype), hidden=hidden)
                for build in matrix.builds
            ),
        ]
        for model, dtype in models
        for hidden in (False, True)
    ]


def _wrong(seen: Sequence[Seen[OnModel]], *, hidden: bool) -> str:
    if not seen or any(each.record is None for each in seen):
        return untold(seen)
    wrong = [
        each.cell.params.get("inputs", "")
        for each in seen
        if each.record and (each.record.hidden if hidden else each.record.unhidden)
    ]
    return f"not {', '.join(wrong)}" if wrong else "✅"


def _taken(seen: Sequence[Seen[Inputs]]) -> str:
    """Whether all batches compile, and how much of Dynamo's context that writes at most."""
    records = [each.record for each in seen if each.record is not None]
    if len(records) < len(seen) or any(each.cell.outcome is not Outcome.PASS for each in seen):
        return untold(seen)
    if not all(record.compiles for record in records):
        return "refuses"
    written = max((len(record.leaks) for record in records), default=0)
    return glyphs(each.cell for each in seen) + (f" writes {written}" if written else "")
