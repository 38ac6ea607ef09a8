import re
from pathlib import Path

import pytest
import yaml

from generation.datasheet import OPEN, DatasheetError, load_datasheet, new_datasheet
from zero_shot_emotion.config_files import MissingConfigError, configs_folder

IEMOCAP = configs_folder() / "datasheets" / "iemocap.yaml"
TEMPLATE = configs_folder() / "datasheets" / "template.yaml"


def test_iemocap_has_its_eight_improvisation_scenarios() -> None:
    sheet = load_datasheet("iemocap")

    assert [s.id for s in sheet.scenarios] == [f"impro{k:02d}" for k in range(1, 9)]
    assert all(len(s.roles) == 2 for s in sheet.scenarios)
    assert sheet.labels == ("ang", "hap", "neu", "sad", "fru", "exc", "sur", "fea", "dis")


@pytest.mark.parametrize(
    ("name", "seconds", "said"),
    [
        ("msp-podcast", (1.92, 5.22, 11.94), "EmoBox metadata of a 1.x release: durations."),
        ("msp-improv", (0.5, 3.6, 20), "durations: these are an assumption"),
        ("meld", (0.7, 3, 12), "both ends are an assumption"),
    ],
)
def test_durations_have_a_source_or_are_called_an_assumption(name: str, seconds: tuple[float, ...], said: str) -> None:
    found = load_datasheet(name).utterance_seconds

    assert (found.min, found.median, found.max) == seconds
    assert said in (IEMOCAP.parent / f"{name}.yaml").read_text(encoding="utf-8")


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
        (
            "labels",
            ["ang", "hapy"],
            r"labels\.1: got 'hapy', expected one of neu \(neutral\), hap \(happy\), ang \(angry",
        ),
        ("labels", ["ang", "xxx"], r"labels\.1: got 'xxx', expected one of neu"),
        ("labels", ["ang", "neu", "ang"], r"expected labels that differ, got 'ang' twice"),
        ("name", "My Corpus", r"name: got 'My Corpus', expected small letters and digits, with hyphens between them"),
        (
            "speakers",
            {"per_dialogue": 2, "genders": []},
            r"speakers\.genders: got \[\], expected at least 1 of them",
        ),
        ("speakers", {"per_dialogue": 1, "genders": ["male"]}, r"expected at most as many roles as .*\(1\), got 2 in"),
        ("labels", ["ang"], r"labels: got \['ang'\], expected at least 2 of them"),
        ("sources", None, r"sources: got None, expected a list"),
        ("colour", "red", r"colour: unknown key"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_expectation(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(IEMOCAP.read_text(encoding="utf-8")), key: value}))

    with pytest.raises(DatasheetError, match=f"sheet.yaml: {message}"):
        load_datasheet(path)


def test_scenarios_have_ids_of_their_own(tmp_path: Path) -> None:
    role = {"emotion": "neu", "situation": "You wait."}
    scenarios = [{"id": name, "roles": [role]} for name in ("late", "late")]

    with pytest.raises(DatasheetError, match=r"expected ids of scenarios that differ, got 'late' twice"):
        load_datasheet(sheet_with(tmp_path, scenarios=scenarios))
    with pytest.raises(DatasheetError, match=r"scenarios.0.id: got 'Late tram', expected small letters"):
        load_datasheet(sheet_with(tmp_path, scenarios=[{"id": "Late tram", "roles": [role]}]))


def test_everything_that_is_wrong_is_told_at_once_and_nothing_twice(tmp_path: Path) -> None:
    path = sheet_with(tmp_path, name="A b", labels=["joy", "rage"], colour="red")
    with pytest.raises(DatasheetError) as error:
        load_datasheet(path)

    lines = str(error.value).splitlines()
    assert lines[0].startswith(f"{path}: name: got 'A b', expected ")
    assert [line.strip().partition(":")[0] for line in lines[1:]] == ["labels.0", "labels.1", "colour"]


def test_a_new_template_says_everything_that_is_open(tmp_path: Path) -> None:
    new_datasheet(tmp_path / "my.yaml")
    with pytest.raises(DatasheetError) as error:
        load_datasheet(tmp_path / "my.yaml")

    assert str(error.value).count("FILL IN") == len(FILLED)


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


FILLED = (
    ("name", "my-corpus"),
    ("title", "My Corpus"),
    ("language", "de"),
    ("language_name", "German"),
    ("description", "Two people talk about their week."),
    ("per_dialogue", "2"),
    ("genders", "female, male"),
    ("labels", "neu, hap, ang, sad"),
    ("min", "0.5"),
    ("median", "3.1"),
    ("mean", "3.6"),
    ("max", "12"),
    ("id", "queue"),
    ("emotion", "ang"),
    ("situation", "You have queued for an hour, and the clerk sends you away."),
    ("emotion", "neu"),
    ("situation", "You are the clerk, and the papers are not in order."),
    ("sources", "A. Author, My Corpus, 2020."),
)
"""What goes into the template, from its top to its bottom."""


def filled(template: str, but: int | None = None) -> str:
    """The template with all its facts, but one."""
    text = "\n".join(line for line in template.splitlines() if not line.lstrip().startswith("#"))
    values = (OPEN if index == but else value for index, (_, value) in enumerate(FILLED))
    return re.sub(OPEN, lambda _: next(values), text)


def test_the_template_filled_in_is_a_datasheet(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    new_datasheet(path)
    template = path.read_text(encoding="utf-8")
    path.write_text(filled(template), encoding="utf-8")
    sheet = load_datasheet(path)

    assert template == TEMPLATE.read_text(encoding="utf-8")
    assert (sheet.name, sheet.language, sheet.utterance_seconds.median) == ("my-corpus", "de", 3.1)
    assert sheet.labels == ("neu", "hap", "ang", "sad")
    assert [role.emotion for role in sheet.scenario("queue").roles] == ["ang", "neu"]
    assert set(yaml.safe_load(template)) == set(type(sheet).model_fields)


@pytest.mark.parametrize("still_open", range(len(FILLED)))
def test_a_template_with_anything_open_is_no_datasheet(tmp_path: Path, still_open: int) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(filled(TEMPLATE.read_text(encoding="utf-8"), but=still_open), encoding="utf-8")
    name = FILLED[still_open][0]

    with pytest.raises(DatasheetError, match=rf"my.yaml: .*{name}.*: got .*FILL IN.*, expected what the comment"):
        load_datasheet(path)


def test_the_template_itself_cannot_be_generated_from() -> None:
    with pytest.raises(DatasheetError, match=r"template.yaml: name: got 'FILL IN', expected what the comment beside"):
        load_datasheet("template")


def test_a_new_datasheet_never_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("mine")

    with pytest.raises(DatasheetError, match=r"my.yaml: cannot be written \(File exists\), expected a new file"):
        new_datasheet(path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        ({"min": 3, "median": 2, "max": 4}, "min, median and max in this order, and the mean between min and max"),
        ({"min": 1, "median": 2, "mean": 5, "max": 4}, "min, median and max in this order, and the mean between"),
        ({"min": 1, "max": 4}, "a median, a mean, or both"),
        ({"min": 0, "median": 2, "max": 4}, "more than 0"),
    ],
)
def test_durations_must_fit_together(tmp_path: Path, seconds: dict, message: str) -> None:
    with pytest.raises(DatasheetError, match=rf"utterance_seconds.*expected .*{message}"):
        load_datasheet(sheet_with(tmp_path, utterance_seconds=seconds))


def sheet_with(folder: Path, **changes: object) -> Path:
    """IEMOCAP's datasheet, changed."""
    path = folder / "sheet.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(IEMOCAP.read_text(encoding="utf-8")), **changes}))
    return path
