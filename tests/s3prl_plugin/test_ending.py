"""How s3prl's script ends early: this project's errors and Ctrl-C in one line, everything else as ever."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.experiment import Experiment, small_config
from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.errors import Interrupted
from zero_shot_emotion.s3prl_plugin import ending

SCRIPT = [sys.executable, "-m", "s3prl.run_downstream"]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> ending._Hook:
    """Over one that prints a traceback's head alone."""
    monkeypatch.delenv(ending.TRACEBACK, raising=False)
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: print(f"Traceback: {error}", file=sys.stderr))
    ending.install()
    ending.install()  # once is enough
    assert isinstance(sys.excepthook, ending._Hook)
    return sys.excepthook


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def end(hook: ending._Hook, error: BaseException) -> None:
    hook(type(error), error, raised(error).__traceback__)


def test_what_a_user_can_mend_is_one_line(hook: ending._Hook, capsys: pytest.CaptureFixture[str]) -> None:
    end(hook, CorpusError("nowhere: no such file"))
    assert capsys.readouterr().err == "error: nowhere: no such file\n"


@pytest.mark.parametrize("value", ["1", "yes"])
def test_the_traceback_comes_on_demand(
    hook: ending._Hook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ZERO_SHOT_EMOTION_TRACEBACK", value)
    end(hook, CorpusError("nowhere: no such file"))
    assert capsys.readouterr().err == "Traceback: nowhere: no such file\n"


def test_other_errors_keep_their_traceback(hook: ending._Hook, capsys: pytest.CaptureFixture[str]) -> None:
    end(hook, KeyError("config"))
    assert capsys.readouterr().err == "Traceback: 'config'\n"


@pytest.mark.parametrize(
    ("stop", "line"),
    [
        (Interrupted("exp keeps states-2.ckpt"), "exp keeps states-2.ckpt"),
        (KeyboardInterrupt(), "nothing was written; the same command begins anew"),
    ],
)
def test_an_interrupt_is_one_line(
    hook: ending._Hook,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stop: KeyboardInterrupt,
    line: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["run_downstream.py", "-d", "zero_shot_emotion"])
    with pytest.raises(SystemExit) as status:
        end(hook, stop)
    assert status.value.code == 130
    assert capsys.readouterr().err == f"stopped: {line}\n"


def test_bars_end_before_the_line(hook: ending._Hook, capsys: pytest.CaptureFixture[str]) -> None:
    from tqdm import tqdm

    def read() -> None:
        bar = tqdm(total=2, desc="overall")
        bar.update()
        try:
            raise OSError("gone")
        except OSError:
            raise CorpusError("nowhere: no such file") from None

    try:
        read()
    except CorpusError as error:
        hook(type(error), error, error.__traceback__)
    assert capsys.readouterr().err.splitlines()[-1] == "error: nowhere: no such file"


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def test_s3prls_script_ends_in_the_line_alone(tmp_path: Path, synthetic: Path) -> None:
    experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic, {"far": "nowhere"}))
    command = [*SCRIPT, "-m", "train", *map(str, experiment.arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "error: target 'far': corpus 'nowhere': nowhere: no such file or folder"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_in_a_training_says_what_is_kept(tmp_path: Path, synthetic: Path) -> None:
    steps = {"total_steps": 1_000_000, "eval_step": 2, "save_step": 2, "log_step": 2, "max_keep": 1_000_000}
    config = small_config(synthetic, **{f"runner__{name}": value for name, value in steps.items()})
    experiment = Experiment.make(tmp_path / "experiment", config)
    command = [*SCRIPT, "-m", "train", *map(str, experiment.arguments)]
    log = tmp_path / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment(), start_new_session=True)
        while process.poll() is None and not (experiment.folder / "states-4.ckpt").exists():
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 130, log.read_text()
    said = log.read_text().splitlines()
    last = max(int(path.stem.removeprefix("states-")) for path in experiment.folder.glob("states-*.ckpt"))
    assert (
        f"stopped: {experiment.folder} keeps states-{last}.ckpt and dev-best.ckpt; the same command with -a goes on "
        "from there"
    ) in said
    assert not [line for line in said if line.startswith("Traceback")]


class TestWhatIsKept:
    """In this process: where a training can be stopped, and what it says then."""

    @pytest.fixture
    def stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C at the first batch."""
        from zero_shot_emotion.expert import DownstreamExpert

        def stop(*arguments: object, **options: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(DownstreamExpert, "forward", stop)

    @pytest.mark.usefixtures("stopped")
    def test_nothing_yet(self, tmp_path: Path, synthetic: Path) -> None:
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic))
        with pytest.raises(Interrupted) as stop:
            experiment.train()
        assert str(stop.value) == (
            f"{experiment.folder} keeps no checkpoint: the training cannot go on, and the same command begins anew"
        )

    def test_what_goes_on_says_how(self, tmp_path: Path, synthetic: Path, request: pytest.FixtureRequest) -> None:
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic)).train()
        request.getfixturevalue("stopped")
        with pytest.raises(Interrupted) as stop:
            experiment.train("-e", experiment.folder, "-o", "config.runner.total_steps=4")
        assert str(stop.value) == (
            f"{experiment.folder} keeps states-2.ckpt and dev-best.ckpt; -m train -e {experiment.folder} goes on from "
            "there"
        )

    def test_an_older_training_is_none_to_go_on_with(
        self, tmp_path: Path, synthetic: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from zero_shot_emotion.dataset import EmotionDataset

        def stop(*arguments: object, **options: object) -> None:
            raise KeyboardInterrupt

        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic)).train()
        monkeypatch.setattr(EmotionDataset, "_read", stop)
        with pytest.raises(Interrupted, match=r"^nothing was written; the same command begins anew$"):
            experiment.train()
