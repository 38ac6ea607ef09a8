from pathlib import Path

import pytest

from zero_shot_emotion.config_files import MissingConfigError, configs_folder, find_config


def test_shipped_configs_are_found_by_name() -> None:
    assert find_config("datasheets", "iemocap") == configs_folder() / "datasheets" / "iemocap.yaml"
    assert find_config("prompts", "dialogue", ".j2").is_file()


def test_a_path_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("iemocap").write_text("mine")

    assert find_config("datasheets", "iemocap") == Path("iemocap")


def test_what_does_not_exist_is_an_error_with_the_names_there_are() -> None:
    with pytest.raises(
        MissingConfigError, match=r"^injection: got 'loud', expected the path of a .yaml file or one of acted"
    ):
        find_config("injection", "loud")
