"""Repairs that let stock s3prl 0.4.18 run on newer stacks, applied from outside when it is imported.

Each mends one thing that s3prl expects and a newer library took away, and does nothing where the thing
is still there. On the versions that this project pins, only `allow_argparse_namespace` has work to do.

Two repairs are of s3prl's own making, on any stack: `restore_learning_rate`, which touches this project's downstream
alone, and `save_whole`. What is no repair: `keep_quiet`; this project's upstreams are added to s3prl's hub,
`start_from_checkpoint` gives ``-i`` a meaning in training, and `say_what_is_kept` one to Ctrl-C.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from . import ending
from .startup import HUB, PACKAGE, RUNNER


def find_spec(finder: object, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """The spec that the other finders give for a module, with the module's repair woven in."""
    spec = _ask_others(finder, name, path, target)
    if name == "torchaudio.sox_effects" and spec is None:
        return ModuleSpec(name, _SoxEffectsStub())  # type: ignore[arg-type]
    repair = _REPAIRS.get(name)
    if repair is not None and spec is not None and spec.loader is not None:
        repair(spec.loader)
    return spec


def _ask_others(finder: object, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for other in sys.meta_path:
        if other is not finder and hasattr(other, "find_spec"):
            spec = other.find_spec(name, path, target)
            if spec is not None:
                return spec
    return None


def _around(loader: Any, execute: Callable[[Callable[[ModuleType], None], ModuleType], None]) -> None:
    """Let a function stand around a loader's ``exec_module``."""
    original = loader.exec_module
    loader.exec_module = lambda module: execute(original, module)


def _after_runner(loader: Any) -> None:
    def execute(original: Callable[[ModuleType], None], module: ModuleType) -> None:
        original(module)
        restore_learning_rate(module)
        start_from_checkpoint(module)
        save_whole(module)
        say_what_is_kept(module)
        ending.install()

    _around(loader, execute)


def _after_hub(loader: Any) -> None:
    def execute(original: Callable[[ModuleType], None], module: ModuleType) -> None:
        original(module)
        from ..upstreams import hubconf

        hubconf.register(module)

    _around(loader, execute)


def _before_s3prl(loader: Any) -> None:
    def execute(original: Callable[[ModuleType], None], module: ModuleType) -> None:
        keep_quiet()
        allow_argparse_namespace()
        restore_hub_names()
        if "torchaudio" in sys.modules:  # whoever imported it before s3prl did so without its repair
            restore_audio_backend(sys.modules["torchaudio"])
        original(module)

    _around(loader, execute)


def _mend_extension(loader: Any) -> None:
    """Torchaudio's compiled extension does not load where its CUDA or torch differ from the installed ones.

    s3prl needs none of it: filter banks, resampling and MFCC are pure torch. Run the module again as in a
    torchaudio that was built without the extension, instead of failing the import.
    """

    def execute(original: Callable[[ModuleType], None], module: ModuleType) -> None:
        try:
            original(module)
        except (ImportError, OSError, RuntimeError) as error:
            warnings.warn(f"torchaudio's compiled extension does not load and is left out: {error}", stacklevel=2)
            with _without_compiled_libraries():
                original(module)

    _around(loader, execute)


@contextmanager
def _without_compiled_libraries() -> Iterator[None]:
    """Let torchaudio find no library of its own; 2.8 and before ask the one function, 2.9 and later the other."""
    asked = [
        ("torchaudio._internal.module_utils", "is_module_available"),
        ("torchaudio._extension.utils", "_load_lib"),
    ]
    modules = [(import_module(name), function) for name, function in asked]
    before = [getattr(module, function) for module, function in modules]
    try:
        for module, function in modules:
            setattr(module, function, lambda *names: False)
        yield
    finally:
        for (module, function), original in zip(modules, before, strict=True):
            setattr(module, function, original)


def _after_torchaudio(loader: Any) -> None:
    def execute(original: Callable[[ModuleType], None], module: ModuleType) -> None:
        original(module)
        restore_audio_backend(module)

    _around(loader, execute)


class _SoxEffectsStub:
    """torchaudio 2.9 dropped ``sox_effects``; one upstream of s3prl's hub imports it at the top."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Give the module any name that is asked of it, as a function that says what is wrong when it is called."""

        def missing(name: str) -> Callable[..., None]:
            if name.startswith("__"):
                raise AttributeError(name)

            def refuse(*args: object, **kwargs: object) -> None:
                raise RuntimeError(f"torchaudio.sox_effects.{name} is not in this version of torchaudio: use 2.8")

            return refuse

        module.__getattr__ = missing  # type: ignore[method-assign]


def restore_audio_backend(torchaudio: Any) -> None:
    """Torchaudio 2.9 dropped ``set_audio_backend``; s3prl calls it and needs no effect of it."""
    if not hasattr(torchaudio, "set_audio_backend"):
        torchaudio.set_audio_backend = lambda backend: None


def restore_learning_rate(runner: Any) -> None:
    """Go on at the learning rate at which a run with a scheduler stopped.

    The runner loads the optimizer's state before it makes the scheduler, which sets the rate of step 0; loading
    the scheduler's state does not set it back. So the first step after a resumption was taken at a wrong rate,
    which is 0 with a warm-up.
    """
    make = runner.Runner._get_scheduler

    def make_and_restore(self: Any, optimizer: Any) -> Any:
        scheduler = make(self, optimizer)
        if self.args.downstream == PACKAGE and self.init_ckpt.get("Scheduler"):
            for group, rate in zip(optimizer.param_groups, scheduler.get_last_lr(), strict=True):
                group["lr"] = rate
        return scheduler

    runner.Runner._get_scheduler = make_and_restore


def start_from_checkpoint(runner: Any) -> None:
    """Let ``-m train -i CKPT`` begin a new experiment from another one's weights.

    The runner would take the checkpoint for its own: go on at its step, with its optimizer, and refuse other classes.
    """
    load = runner.Runner._load_weight

    def load_or_carry_over(self: Any, model: Any, name: str) -> None:
        args = self.args
        if args.downstream != PACKAGE or args.mode != "train" or args.past_exp or not self.init_ckpt:
            return load(self, model, name)
        for key in ("Step", "Epoch", "Optimizer", "Scheduler"):
            self.init_ckpt.pop(key, None)
        if name == "Downstream":
            return model.carry_over(self.init_ckpt)
        if name == "Featurizer" and not _fits(model, self.init_ckpt.get(name) or {}):
            print("[Runner] - the checkpoint's layer weights are of another upstream: they start anew")
            return None
        return load(self, model, name)

    runner.Runner._load_weight = load_or_carry_over


def say_what_is_kept(runner: Any) -> None:
    """Let Ctrl-C in a training of ours tell which checkpoints there are, in the leading process alone."""
    train = runner.Runner.train

    def train_or_say(self: Any) -> None:
        try:
            train(self)
        except KeyboardInterrupt:
            from ..errors import Interrupted

            if self.args.downstream != PACKAGE:
                raise
            if not runner.is_leader_process():
                raise SystemExit(ending.INTERRUPTED) from None
            raise Interrupted(get_module(self.downstream.model).say_what_is_kept()) from None

    def get_module(model: Any) -> Any:
        return getattr(model, "module", model)  # what DDP wraps

    runner.Runner.train = train_or_say


def _fits(model: Any, weights: Any) -> bool:
    own = model.state_dict()
    return own.keys() == weights.keys() and all(own[key].shape == weight.shape for key, weight in weights.items())


def save_whole(runner: Any) -> None:
    """Let the runner's checkpoints take their names when they are complete: a kill must not cost the best model."""
    runner.torch = _TorchSavingWhole(runner.torch)


class _TorchSavingWhole:
    """The module ``torch`` as the runner sees it, with another ``save``."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._torch, name)

    def save(self, states: object, path: str) -> None:
        """Write beside the old checkpoint, then take its place."""
        part = Path(f"{path}.part")
        self._torch.save(states, str(part))
        part.replace(path)


def keep_quiet() -> None:
    """Silence what s3prl's import says each time to people who can do nothing about it, and nothing else.

    It calls a function of torchaudio's that does nothing any more, and torch's mixed precision by an old name, and it
    names a package that one of its upstreams would need; who asks for that upstream is told.
    """
    deprecated = r"torchaudio\._backend\.set_audio_backend has been deprecated"
    warnings.filterwarnings("ignore", message=deprecated, category=UserWarning)
    amp = r"`torch\.cuda\.amp\.(autocast|GradScaler)\(args\.\.\.\)` is deprecated"
    warnings.filterwarnings("ignore", message=amp, category=FutureWarning, module=r"s3prl\.downstream")
    if not any("espnet" in argument for argument in sys.argv):
        logging.getLogger("s3prl.upstream.espnet_hubert.expert").addFilter(_is_not_about_espnet)


def _is_not_about_espnet(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("ESPnet is not installed")


def allow_argparse_namespace() -> None:
    """Let ``torch.load`` read s3prl's checkpoints with its safety on.

    They hold the command line as an ``argparse.Namespace``, which torch 2.6 and later refuse by default.
    """
    from argparse import Namespace

    import torch

    torch.serialization.add_safe_globals([Namespace])


def restore_hub_names() -> None:
    """huggingface_hub 1.0 dropped two classes that s3prl imports, and needs for ``--push_to_hf_hub`` alone."""
    import huggingface_hub

    for name in ("HfFolder", "Repository"):
        if not hasattr(huggingface_hub, name):
            setattr(huggingface_hub, name, _gone(name))


def _gone(name: str) -> type:
    def refuse(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"huggingface_hub.{name} is not in this version: use huggingface_hub below 1.0")

    return type(name, (), {"__init__": refuse, "get_token": staticmethod(refuse), "save_token": staticmethod(refuse)})


_REPAIRS: dict[str, Callable[[Any], None]] = {
    "s3prl": _before_s3prl,
    HUB: _after_hub,
    RUNNER: _after_runner,
    "torchaudio": _after_torchaudio,
    "torchaudio._extension": _mend_extension,
}
