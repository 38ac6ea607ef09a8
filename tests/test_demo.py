import json
from pathlib import Path

import pytest
import yaml

from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.demo import run_demo
from zero_shot_emotion.settings import ConfigError
from zero_shot_emotion.testing import tiny_corpus


def test_the_demo_makes_trains_tests_and_shows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = yaml.safe_load(find_config("downstream", "demo").read_text(encoding="utf-8"))
    config["runner"] |= {"total_steps": 4, "eval_step": 2, "save_step": 2, "log_step": 2}
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(config))
    target = tiny_corpus(tmp_path / "real", dialogues=4)
    out = tmp_path / "demo"

    shown = run_demo(out, [str(target.root)], config=tmp_path / "quick.yaml", utterances=40, seed=1)

    assert "a smoke test, not a benchmark" in shown
    assert "real speech, 16 utterances, nothing of it was seen in training" in shown
    assert shown.count("emotion injected") == shown.count("control: neutral speech") == 2
    assert shown.count("always the commonest class") == 2
    for system in ("emotional", "neutral"):
        results = json.loads((out / "experiments" / f"fbank-{system}" / "results.json").read_text())
        assert set(results) == {"synthetic", "real"}
        assert f"{results['real']['UAR']['value']:.3f} [" in shown
    printed = capfd.readouterr().out
    assert printed.count("$ python -m s3prl.run_downstream -m train") == 2
    assert printed.count("-t real") == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("runner: {}", "downstream_expert: missing, expected a section of s3prl's downstream config"),
        ("runner: [", "expected YAML: while parsing a flow node, expected the node content"),
    ],
)
def test_a_config_that_does_not_serve_is_told_before_any_work(tmp_path: Path, content: str, message: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(content)
    with pytest.raises(ConfigError, match=rf"^{config}: {message}"):
        run_demo(tmp_path / "demo", [], config=config)

    assert not (tmp_path / "demo").exists()


def test_a_target_that_is_not_there_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file or folder"):
        run_demo(tmp_path / "demo", [f"emodb:{tmp_path / 'absent'}"])

    assert not (tmp_path / "demo").exists()
