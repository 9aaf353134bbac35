from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch._guards import TracingContext, tracing

from compat.interface import tracing_context
from compat.interface.tracing_context import STRATEGIES, choose_strategy


@pytest.fixture
def context() -> TracingContext:
    return TracingContext(None)


@pytest.mark.parametrize("name", STRATEGIES)
def test_hides_and_restores(name: str, context: TracingContext) -> None:
    with tracing(context):
        assert STRATEGIES[name].run(TracingContext.try_get) is None
        assert TracingContext.try_get() is context


@pytest.mark.parametrize("name", STRATEGIES)
def test_restores_after_an_exception(name: str, context: TracingContext) -> None:
    def fail() -> None:
        raise KeyError("on purpose")

    with tracing(context):
        with pytest.raises(KeyError, match="on purpose"):
            STRATEGIES[name].run(fail)
        assert TracingContext.try_get() is context


@pytest.mark.parametrize("outer", STRATEGIES)
@pytest.mark.parametrize("inner", STRATEGIES)
def test_nests(outer: str, inner: str, context: TracingContext) -> None:
    def nested() -> object:
        STRATEGIES[inner].run(lambda: None)
        return TracingContext.try_get()

    with tracing(context):
        assert STRATEGIES[outer].run(nested) is None
        assert TracingContext.try_get() is context


@pytest.mark.parametrize("name", STRATEGIES)
def test_gradients_stay_as_they_are(name: str) -> None:
    with torch.no_grad():
        assert STRATEGIES[name].run(torch.is_grad_enabled) is False
    assert STRATEGIES[name].run(torch.is_grad_enabled) is True


@pytest.mark.parametrize(
    ("gone", "chosen"), [((), "tls"), (("_TLS",), "tracing"), (("_TLS", "tracing"), "thread")]
)
def test_the_chain(
    gone: tuple[str, ...], chosen: str, context: TracingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {name: value for name, value in vars(torch._guards).items() if name not in gone}
    view = SimpleNamespace(**{**vars(torch), "_guards": SimpleNamespace(**names)})
    monkeypatch.setattr(tracing_context, "torch", view)
    with tracing(context):
        assert choose_strategy().name == chosen
