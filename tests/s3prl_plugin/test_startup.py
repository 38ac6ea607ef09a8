"""The start-up hook: cheap, switchable, and one module under two names."""

import importlib
import os
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path

import pytest

from zero_shot_emotion.s3prl_plugin import startup

ROOT = Path(startup.__file__).parents[2]
OWN = {"zero_shot_emotion", "zero_shot_emotion.s3prl_plugin", "zero_shot_emotion.s3prl_plugin.startup"}
SUBMODULES = ["", ".expert", ".dataset", ".model", ".settings", ".corpus", ".corpus.labels"]


def python(code: str, *options: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestCost:
    def test_it_imports_nothing_but_itself_and_the_standard_library(self) -> None:
        code = (
            f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules); "
            "from zero_shot_emotion.s3prl_plugin import startup; startup.switched_off() or startup.install(); "
            "print(*sorted(set(sys.modules) - before))"
        )
        loaded = set(python(code, "-S", "-E").split())
        assert loaded >= OWN
        assert {name.partition(".")[0] for name in loaded - OWN} <= sys.stdlib_module_names
        assert loaded - OWN <= {"__future__"}  # an interpreter holds os and sys at start

    def test_a_plain_start_loads_neither_torch_nor_s3prl_nor_the_repairs(self) -> None:
        heavy = ("torch", "torchaudio", "s3prl", "numpy", "pydantic", "zero_shot_emotion.s3prl_plugin.repairs")
        assert python(f"import sys; print([name for name in {heavy} if name in sys.modules])") == "[]"

    def test_torchaudio_alone_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "torchaudio.py").write_text("")
        code = "import torchaudio, sys; print('zero_shot_emotion.s3prl_plugin.repairs' in sys.modules)"
        assert python(code, PYTHONPATH=str(tmp_path)) == "False"


class TestSwitch:
    FINDERS = "import sys; print([type(finder).__name__ for finder in sys.meta_path].count('Finder'))"

    def test_every_start_installs_the_finder_once(self) -> None:
        assert python(self.FINDERS) == "1"
        assert python("from zero_shot_emotion.s3prl_plugin import startup; startup.install(); " + self.FINDERS) == "1"

    @pytest.mark.parametrize(("value", "count"), [("0", "0"), ("off", "0"), ("False", "0"), ("1", "1"), ("", "1")])
    def test_the_environment_switches_it_off(self, value: str, count: str) -> None:
        assert python(self.FINDERS, ZERO_SHOT_EMOTION_PLUGIN=value) == count

    def test_without_it_s3prl_knows_nothing_of_the_downstream(self) -> None:
        code = (
            "import importlib\n"
            "try: importlib.import_module('s3prl.downstream.zero_shot_emotion.expert')\n"
            "except ModuleNotFoundError as error: print(error)"
        )
        expected = "No module named 's3prl.downstream.zero_shot_emotion'"
        assert python(code, ZERO_SHOT_EMOTION_PLUGIN="0") == expected


class TestOneModuleUnderTwoNames:
    @pytest.mark.parametrize("submodule", SUBMODULES)
    def test_package_and_submodules(self, submodule: str) -> None:
        alias = importlib.import_module(startup.ALIAS + submodule)
        own = importlib.import_module(startup.PACKAGE + submodule)
        assert alias is own
        assert own.__name__ == own.__spec__.name == startup.PACKAGE + submodule

    def test_whichever_name_comes_first(self) -> None:
        code = (
            "import s3prl.downstream.zero_shot_emotion.settings as alias\n"
            "import sys, zero_shot_emotion.settings as own\n"
            "import s3prl.downstream.zero_shot_emotion as package, zero_shot_emotion\n"
            "from s3prl.downstream.zero_shot_emotion import settings\n"
            "print(alias is own is settings, package is zero_shot_emotion, own.__spec__.name, own.__package__)\n"
            "print([name for name, m in sys.modules.items() if m is own])"
        )
        assert python(code).splitlines()[-2:] == [
            "True True zero_shot_emotion.settings zero_shot_emotion",
            "['zero_shot_emotion.settings', 's3prl.downstream.zero_shot_emotion.settings']",
        ]

    def test_classes_pickle_under_their_own_name(self) -> None:
        alias = importlib.import_module(startup.ALIAS + ".expert")
        pickled = pickle.dumps(alias.DownstreamExpert)
        from zero_shot_emotion.expert import DownstreamExpert

        assert pickle.loads(pickled) is DownstreamExpert
        assert "zero_shot_emotion.expert" in [argument for _, argument, _ in pickletools.genops(pickled)]

    def test_a_missing_submodule_is_missing(self) -> None:
        with pytest.raises(ModuleNotFoundError, match=r"No module named 'zero_shot_emotion\.nothing'"):
            importlib.import_module(startup.ALIAS + ".nothing")

    def test_other_downstreams_stay_s3prls(self) -> None:
        emotion = importlib.import_module("s3prl.downstream.emotion.model")
        assert emotion.__name__ == "s3prl.downstream.emotion.model"
        with pytest.raises(ModuleNotFoundError, match=r"No module named 's3prl\.downstream\.nothing'"):
            importlib.import_module("s3prl.downstream.nothing.expert")
