"""The repairs of s3prl on newer stacks, on stand-ins for the libraries that broke it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zero_shot_emotion.s3prl_plugin import repairs, startup

ROOT = Path(startup.__file__).parents[2]
Run = Callable[..., str]

TORCH = """
class serialization:
    allowed = []
    add_safe_globals = allowed.extend
"""
EXTENSION_2_11 = """
from torchaudio._internal.module_utils import fail_with_message, no_op
from .utils import _load_lib

_IS_TORCHAUDIO_EXT_AVAILABLE = _load_lib("_torchaudio")
_IS_ALIGN_AVAILABLE = _IS_TORCHAUDIO_EXT_AVAILABLE
fail_if_no_align = no_op if _IS_ALIGN_AVAILABLE else fail_with_message("no alignment")
"""
EXTENSION_2_8 = """
from torchaudio._internal.module_utils import fail_with_message, is_module_available, no_op
from .utils import _load_lib

_IS_TORCHAUDIO_EXT_AVAILABLE = is_module_available("torchaudio.lib._torchaudio")
_IS_RIR_AVAILABLE = _IS_ALIGN_AVAILABLE = False
if _IS_TORCHAUDIO_EXT_AVAILABLE:
    _load_lib("libtorchaudio")
fail_if_no_align = no_op if _IS_ALIGN_AVAILABLE else fail_with_message("no alignment")
def lazy_import_sox_ext(): return None
"""
MODULES = {
    "s3prl/__init__.py": "",
    "s3prl/hub.py": "import torchaudio\ntorchaudio.set_audio_backend('sox_io')\n",
    "torch/__init__.py": TORCH,
    "huggingface_hub/__init__.py": "class HfApi: pass\n",
    "torchaudio/__init__.py": "from . import _extension\nfrom ._extension import fail_if_no_align\n",
    "torchaudio/_extension/__init__.py": EXTENSION_2_11,
    "torchaudio/_extension/utils.py": "def _load_lib(name): raise OSError('libc10_cuda.so: cannot open')\n",
    "torchaudio/_internal/__init__.py": "",
    "torchaudio/_internal/module_utils.py": (
        "def is_module_available(*names): return True\n"
        "def fail_with_message(message): return message\n"
        "def no_op(function): return function\n"
    ),
}
"""A stack as new as 2.11 on which nothing works."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs code on the stand-ins, with the hook installed; ``files`` replace some, None removes one."""

    def on_stand_ins(code: str, script: str = "script.py", files: dict[str, str | None] | None = None) -> str:
        for name, content in {**MODULES, **(files or {})}.items():
            if content is not None:
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        install = f"import sys\nsys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]\n"
        install += "from zero_shot_emotion.s3prl_plugin import startup\nstartup.install()\n"
        (tmp_path / script).write_text(install + code)
        done = subprocess.run(
            [sys.executable, "-S", str(tmp_path / script)], capture_output=True, text=True, env={**os.environ}
        )
        return done.stdout + done.stderr

    return on_stand_ins


class TestCompiledExtension:
    WARNING = "UserWarning: torchaudio's compiled extension does not load and is left out: libc10_cuda.so: cannot open"
    SHOW = "import torchaudio\nextension = torchaudio._extension\nprint(sorted(k for k in vars(extension) if 'A' in k))"

    @pytest.mark.parametrize("shape", [EXTENSION_2_11, EXTENSION_2_8], ids=["2.11", "2.8"])
    def test_is_left_out_where_it_does_not_load(self, run: Run, shape: str) -> None:
        code = (
            "import s3prl, torchaudio\n"
            "print(torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE, torchaudio._extension._IS_ALIGN_AVAILABLE)\n"
            "print(torchaudio.fail_if_no_align)\n"
            "print(hasattr(torchaudio._extension, 'lazy_import_sox_ext'))\n"
            "try: torchaudio._extension.utils._load_lib('_torchaudio')\n"
            "except OSError as error: print('put back')\n"
        )
        said = run(code, files={"torchaudio/_extension/__init__.py": shape})
        assert said.startswith(f"False False\nno alignment\n{shape == EXTENSION_2_8}\nput back\n")
        assert self.WARNING in said

    def test_fails_as_ever_where_s3prl_is_not_in_play(self, run: Run) -> None:
        said = run("import torchaudio")
        assert said.rstrip().endswith("OSError: libc10_cuda.so: cannot open")

    def test_s3prls_script_called_by_its_path_is_in_play_before_s3prl_is(self, run: Run) -> None:
        said = run("import torchaudio\nprint('fine', 's3prl' in sys.modules)", script="run_downstream.py")
        assert said.startswith("fine False\n")
        assert self.WARNING in said

    def test_a_working_one_is_kept(self, run: Run) -> None:
        said = run(
            "import s3prl, torchaudio\nprint(torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE)",
            files={"torchaudio/_extension/utils.py": "def _load_lib(name): return True\n"},
        )
        assert said == "True\n"

    def test_another_error_in_it_is_raised(self, run: Run) -> None:
        said = run("import s3prl, torchaudio", files={"torchaudio/_extension/__init__.py": "nonsense"})
        assert said.rstrip().endswith("NameError: name 'nonsense' is not defined")


class TestAudioBackend:
    WORKING = {"torchaudio/_extension/__init__.py": "fail_if_no_align = None"}  # noqa: RUF012

    def test_does_nothing_where_it_is_gone(self, run: Run) -> None:
        assert run("import s3prl.hub\nprint('fine')", files=self.WORKING) == "fine\n"

    def test_even_where_torchaudio_came_before_s3prl(self, run: Run) -> None:
        assert run("import torchaudio\nimport s3prl.hub\nprint('fine')", files=self.WORKING) == "fine\n"

    def test_is_left_alone_where_it_is_there(self, run: Run) -> None:
        files = {**self.WORKING, "torchaudio/__init__.py": "def set_audio_backend(name): print('set', name)\n"}
        assert run("import s3prl.hub", files=files) == "set sox_io\n"

    def test_is_missing_where_s3prl_is_not_in_play(self, run: Run) -> None:
        assert run("import torchaudio\nprint(hasattr(torchaudio, 'set_audio_backend'))", files=self.WORKING) == (
            "False\n"
        )


class TestSoxEffects:
    IMPORT = "from torchaudio.sox_effects import apply_effects_tensor\n"
    WORKING = TestAudioBackend.WORKING

    def test_import_and_say_what_is_wrong_when_called(self, run: Run) -> None:
        code = (
            f"import s3prl\n{self.IMPORT}print('imported')\n"
            "try: apply_effects_tensor(None, 16000, effects=[])\n"
            "except RuntimeError as error: print(error)\n"
        )
        message = "torchaudio.sox_effects.apply_effects_tensor is not in this version of torchaudio: use 2.8"
        assert run(code, files=self.WORKING) == f"imported\n{message}\n"

    def test_are_left_alone_where_they_are_there(self, run: Run) -> None:
        files = {**self.WORKING, "torchaudio/sox_effects.py": "apply_effects_tensor = 'theirs'\n"}
        assert run(f"import s3prl\n{self.IMPORT}print(apply_effects_tensor)", files=files) == "theirs\n"

    def test_are_missing_where_s3prl_is_not_in_play(self, run: Run) -> None:
        said = run(self.IMPORT, files=self.WORKING)
        assert said.rstrip().endswith("ModuleNotFoundError: No module named 'torchaudio.sox_effects'")

    def test_other_missing_modules_stay_missing(self, run: Run) -> None:
        said = run("import s3prl, torchaudio.io", files=self.WORKING)
        assert said.rstrip().endswith("ModuleNotFoundError: No module named 'torchaudio.io'")


class TestHub:
    @pytest.mark.parametrize("name", ["HfFolder", "Repository"])
    @pytest.mark.parametrize("use", ["()", ".get_token()", ".save_token('t')"])
    def test_names_that_are_gone_import_and_refuse(self, run: Run, name: str, use: str) -> None:
        code = (
            f"import s3prl\nfrom huggingface_hub import HfApi, {name}\n"
            f"try: {name}{use}\nexcept RuntimeError as error: print(error)\n"
        )
        assert run(code) == f"huggingface_hub.{name} is not in this version: use huggingface_hub below 1.0\n"

    def test_names_that_are_there_are_left_alone(self, run: Run) -> None:
        files = {"huggingface_hub/__init__.py": "HfFolder = Repository = 'theirs'\n"}
        assert run("import s3prl\nfrom huggingface_hub import HfFolder\nprint(HfFolder)", files=files) == "theirs\n"

    def test_names_are_missing_where_s3prl_is_not_in_play(self, run: Run) -> None:
        assert "ImportError: cannot import name 'HfFolder'" in run("from huggingface_hub import HfFolder")


def test_torch_may_load_the_command_line_and_nothing_else(run: Run) -> None:
    code = "import s3prl, torch\nprint([kind.__name__ for kind in torch.serialization.allowed])"
    assert run(code) == "['Namespace']\n"


class TestLearningRate:
    """s3prl takes the first step after a resumption at the learning rate of step 0."""

    @staticmethod
    def runner(downstream: str, checkpoint: dict[str, Any]) -> Any:
        class Runner:
            args = SimpleNamespace(downstream=downstream)
            init_ckpt = checkpoint

            def _get_scheduler(self, optimizer: Any) -> Any:
                optimizer.param_groups[0]["lr"] = 0.0  # what making a scheduler does
                return SimpleNamespace(get_last_lr=lambda: [0.25])

        repairs.restore_learning_rate(SimpleNamespace(Runner=Runner))
        return Runner()

    @pytest.mark.parametrize(
        ("downstream", "checkpoint", "rate"),
        [
            ("zero_shot_emotion", {"Scheduler": {"last_epoch": 3}}, 0.25),
            ("zero_shot_emotion", {}, 0.0),
            ("emotion", {"Scheduler": {"last_epoch": 3}}, 0.0),
        ],
    )
    def test_goes_on_in_our_downstream_alone(self, downstream: str, checkpoint: dict[str, Any], rate: float) -> None:
        optimizer = SimpleNamespace(param_groups=[{"lr": 0.1}])
        self.runner(downstream, checkpoint)._get_scheduler(optimizer)
        assert optimizer.param_groups[0]["lr"] == rate


class TestSavingWhole:
    @staticmethod
    def runner() -> Any:
        def save(states: bytes, path: str) -> None:
            Path(path).write_bytes(states[:3])
            if len(states) > 3:
                raise KeyboardInterrupt

        module = SimpleNamespace(torch=SimpleNamespace(save=save, load="other things stay"))
        repairs.save_whole(module)
        return module

    def test_a_save_that_is_cut_short_leaves_the_old_checkpoint(self, tmp_path: Path) -> None:
        path = tmp_path / "dev-best.ckpt"
        runner = self.runner()
        runner.torch.save(b"old", str(path))

        with pytest.raises(KeyboardInterrupt):
            runner.torch.save(b"newer", str(path))

        assert path.read_bytes() == b"old"
        assert runner.torch.load == "other things stay"


def test_the_real_torchaudio_works_without_its_extension() -> None:
    """As on a torch for the CPU, where torchaudio's library finds no libc10_cuda."""
    code = """
import sys, warnings
warnings.simplefilter("ignore")

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "torchaudio.lib._torchaudio":
            raise OSError("libc10_cuda.so: cannot open shared object file")

sys.meta_path.insert(1, Broken())
sys.argv = ["run_downstream.py"]
import torch, torchaudio
import torchaudio._extension.utils
print(torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE)
wave = torch.randn(1, 16000)
print(torchaudio.transforms.MelSpectrogram(n_mels=40)(wave).shape[1])
print(torchaudio.transforms.Resample(8000, 16000)(wave).shape[1])
print(torchaudio.compliance.kaldi.fbank(wave).shape[1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["False", "40", "32000", "23"], done.stderr


QUIET = """
import logging, sys, warnings
from zero_shot_emotion.s3prl_plugin import startup
startup.install()
sys.argv = ["x", {argument!r}]
import s3prl.hub
logging.getLogger("s3prl.upstream.espnet_hubert.expert").warning("another warning")
warnings.warn("a warning of ours")
"""


@pytest.mark.parametrize(("argument", "espnet"), [("-u", False), ("espnet_hubert_local", True)])
def test_only_what_nobody_can_mend_is_silent(argument: str, espnet: bool) -> None:
    pytest.importorskip("s3prl")
    code = QUIET.format(argument=argument)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert "set_audio_backend" not in done.stderr
    assert "another warning" in done.stderr
    assert "a warning of ours" in done.stderr
    assert ("ESPnet is not installed" in done.stderr) == espnet
