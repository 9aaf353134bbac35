"""The members of the ShapeEnv stand-in as rows of the upgrade table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.rests import rests_on
from compat.topics.stand_in.finding import Need, StandIn
from compat.topics.stand_in.records import Needs
from compat.topics.upgrade import Kind, Says, UpgradeRow
from compat.topics.workarounds.table import WORKAROUNDS

_SAYS = {
    Need.NEEDED: Says.NEEDED,
    Need.READ: Says.NOT_NEEDED,
    Need.UNREAD: Says.NOT_NEEDED,
    Need.UNKNOWN: Says.UNKNOWN,
}


def upgrade(matrix: Matrix, found: StandIn) -> Iterable[UpgradeRow]:
    """A row for each member; one for those together of which every build says the same."""
    groups: dict[tuple[tuple[BuildId, Says], ...], list[str]] = {}
    for member, needs in found.members.items():
        says = {build: _SAYS[need] for build, need in needs.items()}
        groups.setdefault(tuple(says.items()), []).append(member)
    for alike, members in groups.items():
        one = len(members) == 1
        yield UpgradeRow(
            kind=Kind.WORKAROUND,
            name=f"{members[0]} in the ShapeEnv stand-in"
            if one
            else f"{len(members)} members of the ShapeEnv stand-in",
            says=dict(alike),
            ships=_ships(members),
            cells={
                build: tuple(
                    each.cell.id
                    for member in members
                    for each in matrix.seen(Needs, build, member=member)
                )
                for build, _ in alike
            },
            about="" if one else ", ".join(members),
            rests=rests_on(
                each.cell
                for member in members
                for each in matrix.everywhere(Needs, member=member)
                if each.record
            ),
        )


def _ships(members: Iterable[str]) -> Mapping[str, str]:
    """Who has a stand-in with one of these members."""
    whole = WORKAROUNDS["shape-env-stand-in"]
    having = {member: each for each in WORKAROUNDS.values() for member in each.members}
    found: dict[str, str] = {}
    for member in members:
        found |= having.get(member, whole).ships
    return found
