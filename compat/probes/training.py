"""Small computations that are trained through what was compiled, and without a compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from compat.probes import driving
from compat.probes.agreement import STRUCTURE, Reference, judge
from compat.probes.calls import Call
from compat.probes.exact import InFloat64, to_float64
from compat.topics.training.records import RIGHT
from compat.worker.stopwatch import COMPILING

ROWS = 5
WIDTH = 8

Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A computation whose gradients are asked for.

    Attributes:
        call: Of the tensors that ``arguments`` name.
        arguments: Their names, which say what they are: see :func:`make_tensors`.
        replay: Of a computation that draws random numbers: what its outputs say was drawn, and
            from that the same outputs again.
        dynamic: Captured with a symbolic number of rows.
    """

    call: Function
    arguments: tuple[str, ...]
    replay: Callable[[Sequence[torch.Tensor], Any], Any] | None = None
    dynamic: bool = False


def make_tensors(names: Sequence[str], device: str) -> list[torch.Tensor]:
    """One tensor a name, the same each time.

    ``x`` has ``(ROWS, WIDTH)``, ``w…`` is a square weight, ``b…`` a bias, ``mean`` and ``var``
    are statistics, ``index`` chooses rows; those that end with an underscore need no gradient.
    """
    generator = torch.Generator().manual_seed(len(names))
    return [_make(name, generator).to(device).requires_grad_(_trains(name)) for name in names]


def _make(name: str, generator: torch.Generator) -> torch.Tensor:
    shape = {"x": (ROWS, WIDTH), "w": (WIDTH, WIDTH)}.get(name[0], (WIDTH,))
    if name == "index":
        return torch.randint(ROWS, (ROWS,), generator=generator)
    values = torch.randn(shape, generator=generator)
    return values.abs() + 0.5 if name == "var" else values


def _trains(name: str) -> bool:
    return not name.endswith("_") and name not in {"mean", "var", "index"}


class Twice(torch.autograd.Function):
    """Saves nothing. Its gradient is off on purpose, so that nobody can derive it anew."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 3


class Product(torch.autograd.Function):
    """Saves both of its inputs."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, w = ctx.saved_tensors
        return gradient @ w.t() @ w, x.t() @ gradient


class Rounded(torch.autograd.Function):
    """A second output that nobody can differentiate, a number as argument, None as a gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
        signs = torch.sign(x)
        ctx.mark_non_differentiable(signs)
        ctx.scale = scale
        return torch.round(x * scale) / scale, signs

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor, _: Any) -> tuple[torch.Tensor, None]:
        return gradient * ctx.scale, None


@torch.library.custom_op("compat::trained_square", mutates_args=())
def trained_square(x: torch.Tensor) -> torch.Tensor:
    return x * x


@trained_square.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def _keep(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.save_for_backward(*inputs)


def _gradient_of_square(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
    (x,) = ctx.saved_tensors
    return 2 * x * gradient


trained_square.register_autograd(_gradient_of_square, setup_context=_keep)


def matmul(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x @ w


def linear_gelu(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return functional.gelu(functional.linear(x, w, b))


def function(x: torch.Tensor) -> torch.Tensor:
    return Twice.apply(x.sin()).cos()


def function_saves(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return Product.apply(x, w)


def function_two_outputs(x: torch.Tensor, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    rounded, signs = Rounded.apply(x @ w, 4.0)
    return rounded * signs, signs


def tied(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return (x @ w) @ w.t()


def frozen(x_: torch.Tensor, w1_: torch.Tensor, w2: torch.Tensor) -> torch.Tensor:
    return x_ @ w1_ @ w2


def unused(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> Any:
    """The gradient of ``w2`` stays None: it only reaches what is cut off."""
    return x @ w1, (x @ w2).detach()


def undifferentiable(x: torch.Tensor, w: torch.Tensor) -> Any:
    y = x @ w
    return y, y.argmax(-1), y.detach() > 0, y.detach()


def aliases(x: torch.Tensor, w: torch.Tensor) -> Any:
    y = x @ w
    return x.t(), y, y.t(), w


def in_place_view(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Of what is computed, and, without a gradient, of a leaf."""
    with torch.no_grad():
        w[0].mul_(0.5)
    y = x @ w
    y[:, 1:3].mul_(2)
    return y


def buffer(x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        mean.mul_(0.5).add_(x.mean(0), alpha=0.5)
    return (x - mean) * x


def batch_norm(
    x: torch.Tensor, b1: torch.Tensor, b2: torch.Tensor, mean: torch.Tensor, var: torch.Tensor
) -> torch.Tensor:
    return functional.batch_norm(x, mean, var, b1, b2, training=True)


def checkpointed(x: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor) -> Any:
    return checkpoint(lambda x, w: torch.sin(x @ w) @ w, x, w1, use_reentrant=False) @ w2


def dropout(x: torch.Tensor) -> torch.Tensor:
    return functional.dropout(x, 0.5, training=True)


def _dropout_again(drawn: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return x * (drawn[0] != 0).to(x.dtype) * 2


def operator(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return trained_square(x @ w) @ w


def embedding(index: torch.Tensor, w: torch.Tensor, w2: torch.Tensor) -> torch.Tensor:
    return functional.embedding(index, w) @ w2


def attention(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    q, k, v = (each.unflatten(-1, (2, -1)).transpose(0, 1)[None] for each in (x @ w, x, x + 1))
    attended = functional.scaled_dot_product_attention(q, k, v)
    return attended[0].transpose(0, 1).flatten(1)


def normed(x: torch.Tensor, b1: torch.Tensor, b2: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(x, (WIDTH,), b1, b2)


def softmax_loss(x: torch.Tensor, w: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(x @ w, index)


LESSONS: Mapping[str, Lesson] = {
    "matmul": Lesson(call=matmul, arguments=("x", "w")),
    "linear-gelu": Lesson(call=linear_gelu, arguments=("x", "w", "b")),
    "function": Lesson(call=function, arguments=("x",)),
    "function-saves": Lesson(call=function_saves, arguments=("x", "w")),
    "function-two-outputs": Lesson(call=function_two_outputs, arguments=("x", "w")),
    "tied": Lesson(call=tied, arguments=("x", "w")),
    "frozen": Lesson(call=frozen, arguments=("x_", "w1_", "w2")),
    "unused": Lesson(call=unused, arguments=("x", "w1", "w2")),
    "undifferentiable": Lesson(call=undifferentiable, arguments=("x", "w")),
    "aliases": Lesson(call=aliases, arguments=("x", "w")),
    "in-place-view": Lesson(call=in_place_view, arguments=("x", "w")),
    "buffer": Lesson(call=buffer, arguments=("x", "mean")),
    "batch-norm": Lesson(call=batch_norm, arguments=("x", "b1", "b2", "mean", "var")),
    "checkpoint": Lesson(call=checkpointed, arguments=("x", "w1", "w2")),
    "dropout": Lesson(call=dropout, arguments=("x",), replay=_dropout_again),
    "operator": Lesson(call=operator, arguments=("x", "w")),
    "embedding": Lesson(call=embedding, arguments=("index", "w", "w2")),
    "attention": Lesson(call=attention, arguments=("x", "w")),
    "layer-norm": Lesson(call=normed, arguments=("x", "b1", "b2")),
    "cross-entropy": Lesson(call=softmax_loss, arguments=("x", "w", "index")),
    "dynamic": Lesson(call=matmul, arguments=("x", "w"), dynamic=True),
}


@dataclass(frozen=True)
class Captured:
    """A graph and what it takes.

    Attributes:
        inputs: As Dynamo handed them over; each :meth:`take` gives a copy of its own.
    """

    graph: fx.GraphModule
    inputs: tuple[Any, ...]

    def take(self, *, exact: bool = False) -> tuple[Any, ...]:
        """Leaves with these values, which need a gradient where the inputs do."""
        return tuple(_leaf(each, exact) for each in self.inputs)


def _leaf(value: Any, exact: bool) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    copied = value.detach().clone()
    return (to_float64(copied) if exact else copied).requires_grad_(value.requires_grad)


def capture(lesson: Lesson, device: str) -> Captured:
    """What Dynamo makes of ``lesson`` with gradients on, and of its tensors."""
    tensors = make_tensors(lesson.arguments, device)
    if lesson.dynamic:
        torch._dynamo.mark_dynamic(tensors[0], 0)
    with torch.enable_grad(), COMPILING.running():
        graph, inputs = driving.captured(lesson.call, *tensors)
    return Captured(graph, tuple(map(_value, inputs)))


def capture_lesson(name: str, device: str) -> Captured:
    """By its name."""
    return capture(LESSONS[name], device)


def _value(value: Any) -> Any:
    """What a size really is: that of the lesson, which has one alone."""
    return ROWS if isinstance(value, torch.SymInt) else value


def step(
    call: Function, inputs: Sequence[Any], *, backward: Callable[[torch.Tensor], None]
) -> Call:
    """Forward and back: outputs, the inputs as they are then, and their gradients.

    What is derived is the sum of all outputs that need a gradient, each element with a weight.
    """
    torch.manual_seed(1)
    with torch.enable_grad():
        returned = call(*inputs)
        losses = [_loss(each) for each in Call(returned).tensors if each.requires_grad]
        backward(torch.stack(losses).sum())
    gradients = [each.grad if isinstance(each, torch.Tensor) else None for each in inputs]
    return Call((list(returned), list(inputs), gradients), ())


def _loss(output: torch.Tensor) -> torch.Tensor:
    weights = torch.linspace(0.5, 1.5, output.numel(), dtype=output.dtype, device=output.device)
    return (output * weights.view(output.shape)).sum()


def once(loss: torch.Tensor) -> None:
    loss.backward()


def twice(loss: torch.Tensor) -> None:
    """The gradients add up, so that each is twice what it is after :func:`once`."""
    loss.backward(retain_graph=True)
    loss.backward()


def reference(
    lesson: Lesson, captured: Captured, drawn: Call, *, backward: Callable[[torch.Tensor], None]
) -> Reference:
    """A step of the captured graph without any compiler; where it draws, as ``drawn`` did."""
    call: Function = captured.graph
    if lesson.replay is not None:
        replay, outputs = lesson.replay, [each.detach() for each in Call(drawn.result[0]).tensors]

        def call(*inputs: Any) -> Any:
            return (replay(outputs, *inputs),)

    eager = step(call, captured.take(), backward=backward)
    with InFloat64():
        exact = step(call, captured.take(exact=True), backward=backward)
    return Reference(eager=(eager,), exact=(exact,))


def told(
    call: Call, lesson: str, captured: Captured, backward: Callable[[torch.Tensor], None]
) -> str:
    """``right``, or what is wrong with a step; other strides or aliases are not."""
    seen = judge((call,), reference(LESSONS[lesson], captured, call, backward=backward))
    if max(seen.ratio, seen.bias_ratio, seen.element_ratio) > 1:
        return "wrong: other numbers"
    return f"wrong: {' '.join(seen.contract)}" if STRUCTURE in seen.contract else RIGHT
