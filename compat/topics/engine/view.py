"""Engines in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.document.parts import Code, Section, Sentence, Strong, Table, Text
from compat.runs.ids import BuildId
from compat.runs.model import Build, Cell, Outcome
from compat.topics.engine.finding import LEGACY, WATCHED, Beside, Booted, Engines
from compat.topics.engine.records import Agreed, Restarted, Spoken
from compat.topics.matrix import Matrix, Seen
from compat.topics.words import GLYPHS, glyphs, labels

# Where the builds are named in what is said of several.
_ON = "{on}"


def say(matrix: Matrix, engines: Engines) -> Iterable[Sentence]:
    """The founding test, in one sentence a release; then what breaks, and what drifts."""
    for booted in engines.booted:
        if legacy := booted.beside.get(LEGACY):
            yield _say_founding(matrix, booted, legacy)
        yield from _say_others(matrix, booted)
        yield from _say_drift(booted)


def _say_founding(matrix: Matrix, booted: Booted, legacy: Mapping[BuildId, Beside]) -> Sentence:
    said: dict[str, list[BuildId]] = {}
    for build, beside in legacy.items():
        said.setdefault(_founding(matrix, booted, build, beside), []).append(build)
    models = dict.fromkeys(model for beside in legacy.values() for model in beside.models)
    return Sentence(
        title=f"{booted.subject}: VLLM_USE_STANDALONE_COMPILE=0 and =1",
        text=f"The engine, booted under both on a CPU ({', '.join(models)}), "
        f"{'; '.join(words.replace(_ON, f'on {labels(on)}') for words, on in said.items())}.",
        cells=tuple(cell for beside in legacy.values() for cell in beside.cells),
    )


def _founding(matrix: Matrix, booted: Booted, build: BuildId, beside: Beside) -> str:
    """What became of it on one build, with a place for the builds of which the same is said."""
    unclaimed = (
        "" if _claims(matrix, booted.subject, build) else ", which this release does not claim"
    )
    if beside.outcome.bad or (beside.outcome is Outcome.UNSUPPORTED and beside.tokens is not None):
        return f"fails {_ON}{unclaimed} ({beside.ended.rstrip('.')})"
    if beside.outcome is Outcome.UNSUPPORTED:
        return f"cannot be asked {_ON}{unclaimed}"
    if beside.outcome is not Outcome.PASS or beside.tokens is None:
        return f"is not known to say the same {_ON}"
    if beside.bitwise:
        return f"says the same tokens with the same log-probabilities, to the last bit, {_ON}"
    if beside.tokens:
        return f"says the same tokens with log-probabilities up to {beside.off:.2g} apart {_ON}"
    return f"says other tokens {_ON} where two are as likely as one another"


def _say_others(matrix: Matrix, booted: Booted) -> Iterable[Sentence]:
    """What ended badly on a build that the release claims, each way once."""
    broke: dict[str, list[Cell]] = {}
    seen: list[Seen[Spoken] | Seen[Agreed] | Seen[Restarted]] = [
        *(each for builds in booted.spoken.values() for each in builds.values()),
        *(each for builds in booted.restarted.values() for each in builds.values()),
    ]
    for each in seen:
        if each.cell.outcome.bad:
            broke.setdefault(each.cell.signature or each.cell.outcome.value, []).append(each.cell)
    for cells in broke.values():
        settings = dict.fromkeys(cell.params.get("setting", "") for cell in cells)
        yield Sentence(
            title=f"{booted.subject}: the setting {', '.join(settings)} fails on "
            f"{labels(cell.build for cell in cells)}",
            text=f"{cells[0].reason.rstrip('.')}.",
            cells=tuple(cell.id for cell in cells),
        )


def _say_drift(booted: Booted) -> Iterable[Sentence]:
    if not booted.drifts:
        return
    said = []
    for drift in booted.drifts:
        pair = f"from {drift.before.label} to {drift.build.label}"
        if not drift.tokens:
            said.append(f"{pair} it says other tokens")
        elif drift.off:
            said.append(f"{pair} the log-probabilities move by up to {drift.off:.2g}")
        else:
            said.append(f"{pair} nothing moves")
    yield Sentence(
        title=f"{booted.subject}: from build to build",
        text=f"With standalone_compile, in float32: {'; '.join(said)}.",
        cells=tuple(cell for drift in booted.drifts for cell in drift.cells),
    )


def show(matrix: Matrix, engines: Engines) -> Iterable[Section]:
    """What was booted, by build: what it says, beside what, and started again."""
    for device in dict.fromkeys(build.device.kind for build in matrix.builds):
        builds = [build for build in matrix.builds if build.device.kind == device]
        shown = [
            build for build in builds if any(build.id in each.started for each in engines.booted)
        ]
        headers: list[Text] = [build.id for build in shown]
        where = "" if device == "cpu" else f" ({device})"
        yield Section(
            title=f"The engine itself{where}",
            intro="A released engine with its compiled extensions, booted with small models of "
            "random weights in each of its settings. First what it says with empty caches: how far "
            "a log-probability is from a float64 run of the same weights, how many pieces it "
            "compiled, how often Inductor generated code. Then what it says beside the setting "
            "`standalone`: *bitwise* equal, or how far apart. Then a second boot: beside the same "
            "caches, with these copied elsewhere, or with one artifact emptied. In **bold** the "
            "builds that the release's own metadata allow.",
            tables=[
                Table(
                    headers=["engine", "says", *headers],
                    rows=list(_spoken_rows(matrix, engines, shown)),
                ),
                Table(
                    headers=["engine", "beside standalone", *headers],
                    rows=list(_beside_rows(engines, shown)),
                ),
                Table(
                    headers=["engine", "booted again", *headers],
                    rows=list(_restarted_rows(engines, shown)),
                ),
                Table(
                    headers=["engine", "boot, first token; most memory", *headers],
                    rows=list(_measured_rows(engines, shown)),
                ),
            ],
            notes=_notes(engines),
        )


def _spoken_rows(matrix: Matrix, engines: Engines, builds: list[Build]) -> Iterable[list[Text]]:
    for booted in engines.booted:
        for key, seen in booted.spoken.items():
            cells = [_bold(matrix, booted, build, _spoken(seen.get(build.id))) for build in builds]
            yield [booted.subject, Code(key), *cells]


def _spoken(seen: Seen[Spoken] | None) -> str:
    if seen is None or seen.record is None:
        return "" if seen is None else glyphs([seen.cell])
    record = seen.record
    pieces = f", {record.ran.pieces} pieces" if record.ran.pieces else ""
    return (
        f"{glyphs([seen.cell])} off by {max(record.off.values(), default=0.0):.1g}{pieces}, "
        f"{record.ran.compilations} compilations"
    )


def _beside_rows(engines: Engines, builds: list[Build]) -> Iterable[list[Text]]:
    for booted in engines.booted:
        for setting, by_build in booted.beside.items():
            cells = [_beside(by_build.get(build.id)) for build in builds]
            yield [booted.subject, Code(setting), *cells]


def _beside(beside: Beside | None) -> str:
    if beside is None:
        return ""
    glyph = GLYPHS[beside.outcome]
    if beside.bitwise is None:
        return glyph
    if beside.bitwise:
        return f"{glyph} bitwise"
    tokens = "same tokens" if beside.tokens else "other tokens"
    glyph = "🟡" if beside.outcome is Outcome.PASS else glyph
    return f"{glyph} {tokens}, {beside.off:.1g} apart"


def _restarted_rows(engines: Engines, builds: list[Build]) -> Iterable[list[Text]]:
    for booted in engines.booted:
        for key, by_build in booted.restarted.items():
            cells = [_restarted(by_build.get(build.id)) for build in builds]
            yield [booted.subject, Code(key), *cells]


def _restarted(seen: Seen[Restarted] | None) -> str:
    if seen is None or seen.record is None:
        return "" if seen is None else glyphs([seen.cell])
    record = seen.record
    if record.raised:
        glyph = "🟡" if seen.cell.outcome is Outcome.PASS else glyphs([seen.cell])
        return f"{glyph} raises {record.raised.partition(':')[0]}"
    how = (
        f"{record.loads} loaded, {record.asked} asked for, {record.hits} hits, "
        f"{record.compilations} compilations"
    )
    return f"{glyphs([seen.cell])} {how}{'' if record.same else ', says something else'}"


def _measured_rows(engines: Engines, builds: list[Build]) -> Iterable[list[Text]]:
    """Seconds and memory: information, of one busy machine or another."""
    for booted in engines.booted:
        for key, seen in booted.spoken.items():
            if key.startswith(WATCHED):
                setting = key.removeprefix(f"{WATCHED}-")
                warm = booted.restarted.get(f"{setting}-warm", {})
                cells = [_measured(seen.get(b.id), warm.get(b.id)) for b in builds]
                yield [booted.subject, Code(setting), *cells]


def _measured(cold: Seen[Spoken] | None, warm: Seen[Restarted] | None) -> str:
    if cold is None or cold.record is None:
        return ""
    ran = cold.record.ran
    again = warm.record.boot_s if warm is not None and warm.record is not None else None
    beside = f" (again {again:.0f} s)" if again is not None else ""
    rest = f"{ran.first_s:.0f} s, then {ran.rest_s:.0f} s"
    return f"{ran.boot_s:.0f} s{beside}, {rest}; {ran.memory_gb:.1f} GB"


def _notes(engines: Engines) -> list[Text]:
    notes: list[Text] = []
    for booted in engines.booted:
        loaded: dict[str, list[BuildId]] = {}
        for build, seen in booted.started.items():
            if seen.record is not None and seen.record.extensions:
                said = f"loads {', '.join(seen.record.extensions)}"
                if seen.record.patched:
                    said += f" and replaces {len(seen.record.patched)} names of torch"
            else:
                said = seen.cell.reason or seen.cell.outcome.value
            loaded.setdefault(said, []).append(build)
        notes += [f"{booted.subject}: {said} on {labels(on)}." for said, on in loaded.items()]
    return notes


def _bold(matrix: Matrix, booted: Booted, build: Build, said: str) -> Text:
    return Strong(said) if said and _claims(matrix, booted.subject, build.id) else said


def _claims(matrix: Matrix, subject: str, build: BuildId) -> bool:
    """Whether a release is meant to work on a build."""
    pair = matrix.pair(subject, build)
    return pair is None or pair.supported
