from pathlib import Path

import pytest
import yaml

from generation.datasheet import DatasheetError, load_datasheet
from zero_shot_emotion.config_files import MissingConfigError, configs_folder

IEMOCAP = configs_folder() / "datasheets" / "iemocap.yaml"


def test_iemocap_has_its_eight_improvisation_scenarios() -> None:
    sheet = load_datasheet("iemocap")

    assert [s.id for s in sheet.scenarios] == [f"impro{k:02d}" for k in range(1, 9)]
    assert all(len(s.roles) == 2 for s in sheet.scenarios)
    assert sheet.labels == ("ang", "hap", "neu", "sad", "fru")


def test_the_prior_over_roles_is_the_published_one() -> None:
    emotions = [role.emotion for s in load_datasheet("iemocap").scenarios for role in s.roles]

    assert {e: emotions.count(e) for e in set(emotions)} == {"hap": 4, "neu": 4, "ang": 3, "sad": 3, "fru": 2}


def test_a_datasheet_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(IEMOCAP.read_text(encoding="utf-8").replace("name: iemocap", "name: mine"), encoding="utf-8")

    assert load_datasheet(path).name == "mine"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("labels", ["ang", "hapy"], r"labels\.1: got 'hapy', expected: String should match pattern"),
        ("labels", ["ang"], r"labels: got \['ang'\], expected: Tuple should have at least 2 items"),
        ("sources", None, r"sources: got None, expected: Input should be a valid tuple"),
        ("colour", "red", r"colour: got 'red', expected: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_expectation(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(IEMOCAP.read_text(encoding="utf-8")), key: value}))

    with pytest.raises(DatasheetError, match=f"sheet.yaml: {message}"):
        load_datasheet(path)


def test_text_that_is_no_yaml_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_text("name: [")

    with pytest.raises(DatasheetError, match=r"sheet.yaml: expected YAML"):
        load_datasheet(path)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(MissingConfigError, match=r"datasheets: got 'nope', expected the path of .* or one of iemocap"):
        load_datasheet("nope")


def test_an_unknown_scenario_lists_the_known_ones() -> None:
    with pytest.raises(DatasheetError, match="no scenario 'impro09', expected one of impro01, impro02"):
        load_datasheet("iemocap").scenario("impro09")
