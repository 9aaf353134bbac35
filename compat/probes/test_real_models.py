"""Do the paths agree on the code of real models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compat.probes.conftest import Record, Require
from compat.probes.driving import (
    DTYPES,
    PATHS,
    RANGE_SIZE,
    SINGLE_SIZE,
    drive,
    generated_kernels,
    initialized,
    run_eagerly,
)
from compat.probes.packages import make_importable
from compat.probes.parity import NEEDS, check_parity
from compat.probes.real_models import ATTENTION, TOKENS, Decoder, SentenceEncoder, encode

# These cells are slow: bfloat16 for the two paths that vLLM ships alone, and for eager.
CASES = [
    *(("float32", path) for path in PATHS),
    *(("bfloat16", path) for path in ("eager", "compile_fx", "standalone")),
]
PROMPT = 12

# Neighbours mean the same: SINGLE_SIZE of them, of different lengths.
SENTENCES = [
    "A cat sleeps on the warm windowsill.",
    "The kitten is napping by the sunny window.",
    "Interest rates went up again.",
    "The central bank has raised the cost of borrowing once more this week.",
    "How do I bake bread?",
    "Give me a recipe for a loaf with flour, yeast and water.",
    "The train to Oslo leaves an hour late because of snow.",
    "Winter weather delays the Norwegian railway.",
]


@pytest.fixture(autouse=True)
def packages(request: pytest.FixtureRequest) -> None:
    make_importable(request.config.getoption("--packages"))


@pytest.mark.full
@pytest.mark.parametrize(("dtype", "path"), CASES)
@pytest.mark.parametrize("batch", ["dynamic"])
@pytest.mark.parametrize("model", ["llama", "qwen3", "qwen3_moe"])
def test_outputs(
    model: str,
    dtype: str,
    batch: str,
    path: str,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A path computes what a decoder of transformers computes without any compiler.

    One compilation serves a prompt, then one more token each of as many sequences as have a
    compilation of their own, then of as many as only the range serves.
    """
    if path in NEEDS:
        require(NEEDS[path])
    module = Decoder(model, DTYPES[dtype]).to(device).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    batches = [
        (torch.randint(TOKENS, positions.shape, generator=generator).to(device), positions)
        for positions in (
            torch.arange(PROMPT, device=device),
            torch.full((SINGLE_SIZE,), PROMPT, device=device),
            torch.full((RANGE_SIZE,), PROMPT, device=device),
        )
    ]
    reference = run_eagerly(module, batches)
    compiler = initialized(PATHS[path](), tmp_path)
    with generated_kernels() as kernels:
        driven = drive(module, compiler, batches, split_at=ATTENTION)
    check_parity(driven, reference, kernels, record, dtype=dtype)


@pytest.mark.full
@pytest.mark.parametrize(("dtype", "path"), CASES)
@pytest.mark.parametrize("batch", ["dynamic"])
@pytest.mark.parametrize("model", ["minilm"])
def test_embeddings(
    model: str,
    dtype: str,
    batch: str,
    path: str,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A path gives sentences the embeddings that real weights give them without any compiler.

    They are real: each sentence is nearest to the one that says the same in other words.
    """
    if path in NEEDS:
        require(NEEDS[path])
    module = SentenceEncoder(DTYPES[dtype]).to(device).eval().requires_grad_(False)
    batches = [encode(SENTENCES[:RANGE_SIZE], device), encode(SENTENCES, device)]
    reference = run_eagerly(module, batches)
    with generated_kernels() as kernels:
        driven = drive(module, initialized(PATHS[path](), tmp_path), batches)
    check_parity(driven, reference, kernels, record, dtype=dtype)
    vectors = driven.calls[1].result.double()
    nearest = (vectors @ vectors.T).fill_diagonal_(-1).argmax(-1).tolist()
    meant = [place ^ 1 for place in range(SINGLE_SIZE)]
    assert nearest == meant, f"sentences {meant} are nearest in meaning, not {nearest}"
