"""A stand-in for the ShapeEnv that Inductor's cache expects to find in a tracing context."""

from __future__ import annotations

from typing import Any


class AlwaysHitShapeEnv:
    """Answers what ``FxGraphCache`` asks of a ShapeEnv so that every lookup is a hit.

    A piece compiled for one size has no shape environment of its own, and without one the
    cache refuses to store it. The guards are Dynamo's business, so "always true" is right.

    Which members are read is up to torch and grows: ``var_to_hint_override`` came with 2.11
    (vllm#41940), and 2.13's release candidates asked for more (pytorch#187728).
    """

    def __init__(self) -> None:
        self.guards: list[Any] = []
        self.var_to_hint_override: dict[Any, int] = {}

    def evaluate_guards_expression(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def get_pruned_guards(self, *args: Any, **kwargs: Any) -> list[Any]:
        return []

    def produce_guards_expression(self, *args: Any, **kwargs: Any) -> str:
        return ""
