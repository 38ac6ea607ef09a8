"""The ways of calling s3prl's run_downstream.py, each in a process of its own, nothing copied into s3prl."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.experiment import Experiment, small_config
from tests.s3prl_plugin.environment import Environment
from zero_shot_emotion.cli import main
from zero_shot_emotion.results import read_results

Command = tuple[Sequence[object], dict[str, str]]
"""What stands before the script's own arguments, and what it adds to the environment."""

CHECKOUT_SETUP = """
from setuptools import find_packages, setup
setup(name="s3prl", version="0.4.18", packages=find_packages())
"""


def installed() -> Path:
    import s3prl

    return Path(s3prl.__file__).parent


def checkout(folder: Path) -> Path:
    """What a git clone of s3prl looks like: a folder with the package in it."""
    shutil.copytree(installed(), folder / "s3prl", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def as_module(tmp_path: Path) -> Command:
    return [sys.executable, "-m", "s3prl.run_downstream"], {}


def installed_script(tmp_path: Path) -> Command:
    return [sys.executable, installed() / "run_downstream.py"], {}


def script_of_a_checkout(tmp_path: Path) -> Command:
    folder = checkout(tmp_path / "checkout")
    return [sys.executable, folder / "s3prl" / "run_downstream.py"], {"PYTHONPATH": str(folder)}


def script_of_an_installed_checkout(tmp_path: Path) -> Command:
    folder = checkout(tmp_path / "checkout")
    (folder / "setup.py").write_text(CHECKOUT_SETUP)
    environment = Environment(tmp_path / "venv", lambda name: name.partition("-")[0] != "s3prl")
    environment.pip("install", "--no-deps", "--no-build-isolation", "-e", folder)
    assert environment.say("import s3prl; print(s3prl.__file__)") == str(folder / "s3prl" / "__init__.py")
    return [environment.python, folder / "s3prl" / "run_downstream.py"], {}


def own_command(tmp_path: Path) -> Command:
    """Our command is there for where no .pth file is processed."""
    return [Path(sys.executable).with_name("zero-shot-emotion"), "run-downstream"], {"ZERO_SHOT_EMOTION_PLUGIN": "0"}


def call(command: Sequence[object], folder: Path, environment: dict[str, str], expected: int = 0) -> str:
    """Run to the end, in a folder that has nothing to do with the project; what was printed, errors last."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + (done.stderr if expected else "")


@pytest.mark.parametrize(
    "way", [as_module, installed_script, script_of_a_checkout, script_of_an_installed_checkout, own_command]
)
def test_every_way_of_calling_finds_the_downstream(
    tmp_path: Path, synthetic: Path, way: Callable[[Path], Command]
) -> None:
    command, environment = way(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic))
    said = call([*command, "-m", "train", *experiment.arguments], elsewhere, environment)
    assert "dev at step 2: UAR " in said
    assert experiment.state(2)["Args"].downstream == "zero_shot_emotion"
    assert (experiment.folder / "predictions-dev.csv").exists()
    assert not list(elsewhere.iterdir())


def test_switched_off_s3prl_does_not_find_it(tmp_path: Path, synthetic: Path) -> None:
    experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic))
    command, _ = as_module(tmp_path)
    off = {"ZERO_SHOT_EMOTION_PLUGIN": "0"}
    said = call([*command, "-m", "train", *experiment.arguments], tmp_path, off, expected=1)
    assert said.rstrip().endswith("ModuleNotFoundError: No module named 's3prl.downstream.zero_shot_emotion'")


class TestOwnCommand:
    """In this process, with the hook installed as it is everywhere."""

    @pytest.fixture(autouse=True)
    def _restored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import builtins

        monkeypatch.setattr(builtins, "isinstance", isinstance)

    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["zero-shot-emotion", "run-downstream", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    def test_hands_every_option_on(
        self, tmp_path: Path, synthetic: Path, unseen: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic, {"unseen": unseen}))
        override = "config.runner.total_steps=4,,config.downstream_expert.datarc.balance=loss"
        assert self.run(monkeypatch, "-m", "train", *experiment.arguments, "-a", "-o", override) == 0
        assert experiment.state(4)["Config"]["downstream_expert"]["datarc"]["balance"] == "loss"
        checkpoint = ("-e", experiment.folder / "dev-best.ckpt", "--device", "cpu")
        assert self.run(monkeypatch, "-m", "evaluate", "-t", "unseen", *checkpoint) == 0
        assert read_results(experiment.folder)["unseen"]["utterances"] == 16

    def test_shows_s3prls_own_help(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(monkeypatch, "--help") == 0
        assert "--upstream_trainable" in capsys.readouterr().out

    def test_says_what_a_user_can_mend_in_one_line(
        self, tmp_path: Path, synthetic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = small_config(synthetic, downstream_expert__datarc__valid_ratio=3)
        experiment = Experiment.make(tmp_path / "experiment", config)
        assert self.run(monkeypatch, "-m", "train", *experiment.arguments) == 1
        assert capsys.readouterr().err.splitlines()[-1] == (
            "error: config: downstream_expert.datarc.valid_ratio: got 3, expected less than 1"
        )
