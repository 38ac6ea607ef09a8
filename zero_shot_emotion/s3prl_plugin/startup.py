"""The import hook that every interpreter start installs through ``zero_shot_emotion.pth``.

s3prl has no plugin mechanism: its runner imports ``s3prl.downstream.<name>.expert``. The finder below
answers for ``s3prl.downstream.zero_shot_emotion`` with the very modules of ``zero_shot_emotion`` (one
module under two names, so that classes and pickles stay the same), and lets `repairs` run when s3prl is
first imported. It also adds this project's upstreams to s3prl's hub. It imports nothing beyond what an interpreter holds at start, and costs well under a
millisecond. The environment variable ``ZERO_SHOT_EMOTION_PLUGIN=0`` switches it off.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing is not imported for it: this module must cost nothing
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

SWITCH = "ZERO_SHOT_EMOTION_PLUGIN"
PACKAGE = "zero_shot_emotion"
ALIAS = f"s3prl.downstream.{PACKAGE}"
RUNNER = "s3prl.downstream.runner"
HUB = "s3prl.hub"


class _Alias:
    """Loads a module of ours under its s3prl name: the module object itself, not a copy."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from importlib import import_module

        module = import_module(PACKAGE + spec.name.removeprefix(ALIAS))
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec  # importlib has just overwritten it with the alias's


class Finder:
    """Stands first on ``sys.meta_path``; has an answer for a handful of names only."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == ALIAS or name.startswith(ALIAS + "."):
            from importlib.machinery import ModuleSpec

            return ModuleSpec(name, _Alias())  # type: ignore[arg-type]
        if name in ("s3prl", HUB, RUNNER) or (name.startswith("torchaudio") and _s3prl_is_in_play()):
            from . import repairs

            return repairs.find_spec(self, name, path, target)
        return None


def _s3prl_is_in_play() -> bool:
    """Whether this process runs s3prl. Its script, called by path, imports torchaudio before s3prl."""
    script = getattr(sys, "argv", [""])[:1]
    return "s3prl" in sys.modules or (bool(script) and os.path.basename(script[0]) == "run_downstream.py")  # noqa: PTH119


def switched_off() -> bool:
    """Whether the environment says that the hook should stay away."""
    return os.environ.get(SWITCH, "1").lower() in {"0", "off", "no", "false"}


def install() -> None:
    """Put the finder first on ``sys.meta_path``, once."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
