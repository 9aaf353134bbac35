"""Cells of private names, config keys and operators."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.surface.records import Config, Key, Name, Operator, Operators, Used
from tests.topics.cells import make_cell

LOCAL, STORAGE = "value of type _thread._local", "value of type torch._guards._TLSStorage"


def there(build: str, name: str, signature: str = LOCAL, *refused: str) -> Cell:
    record = Name(there=True, signature=signature, refused=refused)
    outcome = Outcome.FAIL if refused else Outcome.PASS
    return make_cell(build, record, outcome, params={"name": name})


def gone(build: str, name: str) -> Cell:
    record = Name(there=False, signature="", refused=())
    return make_cell(build, record, Outcome.FAIL, params={"name": name})


def unknown(build: str, name: str, outcome: Outcome = Outcome.CRASH) -> Cell:
    return make_cell(build, None, outcome, probe="surface.name", params={"name": name})


SUBJECT = "vllm==0.33.0"


def name(there: bool | None, signature: str = "", *refused: str, unknown: str = "") -> Name:
    return Name(
        there=there, signature=signature, refused=refused, unknown=unknown, subjects=(SUBJECT,)
    )


def used(build: str, **names: Name) -> Cell:
    """Of the part ``torch._a``: by the last part of each name."""
    record = Used(names={f"torch._a.{each}": found for each, found in names.items()})
    return make_cell(build, record, params={"part": "torch._a"})


def config(build: str, **defaults: str | None) -> Cell:
    """Of Dynamo; a key without a default is gone."""
    keys = {
        f"torch._dynamo.config.{key}": Key(
            there=default is not None, default=default or "", subjects=(SUBJECT,)
        )
        for key, default in defaults.items()
    }
    return make_cell(build, Config(keys=keys), params={"module": "torch._dynamo.config"})


def operators(build: str, **schemas: str) -> Cell:
    """Of ``aten``; an operator without a schema is gone."""
    found = {
        f"aten.{each}": Operator(
            there=bool(schema), schemas=(schema,) if schema else (), subjects=(SUBJECT, "builtin")
        )
        for each, schema in schemas.items()
    }
    return make_cell(build, Operators(operators=found), params={"namespace": "aten"})
