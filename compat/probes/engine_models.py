"""Small models of random weights for engines, and what they say in float64.

They are made with the ``transformers`` that lies beside the engine, from a config and a seed, and
written in its form: nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

# All tokens; those of the prompts are below, the special ones above.
TOKENS = 256
_SPECIAL = 250
_SEED = 0
_EXPERTS = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 64,
    "decoder_sparse_step": 1,
    "norm_topk_prob": True,
}


def make_weights(architecture: str, folder: Path) -> None:
    """Write a decoder of four layers into ``folder``, unless one is there."""
    from transformers import AutoConfig, AutoModelForCausalLM

    if folder.exists():
        return
    config = AutoConfig.for_model(
        architecture,
        vocab_size=TOKENS,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=256,
        # Large enough for some tokens to be far likelier than others.
        initializer_range=0.2,
        tie_word_embeddings=False,
        bos_token_id=_SPECIAL,
        eos_token_id=_SPECIAL + 1,
        pad_token_id=_SPECIAL + 2,
        **(_EXPERTS if "moe" in architecture else {}),
    )
    torch.manual_seed(_SEED)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)


def prompt(length: int, step: int) -> list[int]:
    """A prompt that no other one with another ``step`` begins with."""
    return [(place * 7 * step + step) % _SPECIAL for place in range(length)]


def exact_odds(
    folder: Path, dtype: str, spoken: Mapping[str, Sequence[tuple[Sequence[int], Sequence[int]]]]
) -> dict[str, list[list[list[float]]]]:
    """The log-probabilities of all tokens at each token that was said, computed in float64.

    Args:
        folder: With the weights.
        dtype: To which they are rounded first, as the engine does.
        spoken: By request: each prompt and the tokens that were said after it.
    """
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager"
    ).eval()
    for parameter in model.parameters():
        parameter.data = parameter.data.to(getattr(torch, dtype)).double()
    found = {}
    with torch.no_grad():
        for name, pairs in spoken.items():
            found[name] = [
                model(torch.tensor([[*asked, *said]]))
                .logits[0, len(asked) - 1 : -1]
                .log_softmax(-1)
                .tolist()
                for asked, said in pairs
            ]
    return found
