"""The switch in words and a table."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Section, Sentence, Table
from compat.topics.matrix import Matrix
from compat.topics.settings.finding import Effect, Switches, Switching
from compat.topics.words import NOT_KNOWN, labels

_WORDS = {
    Effect.BITWISE: "✅ =",
    Effect.CLOSE: "✅ ≈",
    Effect.DEAD: "❌ does not switch",
    Effect.DIFFERS: "❌ differs",
    Effect.UNKNOWN: NOT_KNOWN,
}
_SENTENCES = {
    Effect.DEAD: "COMPAT_USE_STANDALONE_COMPILE does not choose the path",
    Effect.DIFFERS: "one of the two settings computes something else than eager",
    Effect.UNKNOWN: "what the switch does is not known",
}


def say(matrix: Matrix, found: Switches) -> Iterable[Sentence]:
    """For each device and Python: what the switch does, and where."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        seen = [
            (build, each)
            for by_build in found.dtypes.values()
            for build, each in by_build.items()
            if build.line == line
        ]
        named = ", Python ".join(filter(None, line))
        for effect, said in _SENTENCES.items():
            if where := [(build, each) for build, each in seen if each.effect is effect]:
                yield Sentence(
                    title=f"settings on {named}: {said}",
                    text=f"On {labels(build for build, _ in where)}.",
                    cells=tuple(each.cell for _, each in where),
                )
        if well := [each for each in seen if each[1].effect in {Effect.BITWISE, Effect.CLOSE}]:
            bitwise = sum(each.effect is Effect.BITWISE for _, each in well)
            yield Sentence(
                title=f"settings on {named}: the switch chooses the path",
                text=f"Both settings compute what eager does on "
                f"{labels(build for build, _ in well)}; in {bitwise} of {len(well)} cells their "
                f"outputs are bitwise equal.",
                cells=tuple(each.cell for _, each in well),
            )


def show(matrix: Matrix, found: Switches) -> Iterable[Section]:
    """Dtype × build."""
    rows = [
        [dtype, *(_said(by_build.get(build.id)) for build in matrix.builds)]
        for dtype, by_build in found.dtypes.items()
    ]
    yield Section(
        title="The switch between the paths",
        intro="`COMPAT_USE_STANDALONE_COMPILE=0` and `=1`, in a process each: `=` the very same "
        "bits, `≈` both as near to float64 as rounding explains; then the largest difference from "
        "eager.",
        tables=[Table(headers=["dtype", *(build.id for build in matrix.builds)], rows=rows)],
    )


def _said(each: Switching | None) -> str:
    if each is None:
        return ""
    number = "" if each.max_abs is None else f" {each.max_abs:.1e}"
    return _WORDS[each.effect] + number
