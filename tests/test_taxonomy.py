import pytest

from zero_shot_emotion.config_files import MissingConfigError, configs_folder
from zero_shot_emotion.corpus import EMOTIONS, LABEL_SETS
from zero_shot_emotion.settings import ConfigError, read_settings
from zero_shot_emotion.taxonomy import KIND, TaxonomyError, load_taxonomy

NAMES = sorted(path.stem for path in (configs_folder() / KIND).glob("*.yaml"))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "brave"])
def test_the_shipped_ones_have_sources_and_distinct_words(name):
    taxonomy = load_taxonomy(name)
    words = [word for words in taxonomy.classes.values() for word in words]
    assert len(taxonomy.source) > 40
    assert len(set(words)) == len(words)
    assert all(name == name.lower() and " " not in name for name in taxonomy.names)


@pytest.mark.parametrize(("name", "size"), [("goemotions", 28), ("prosody-48", 48), ("emonet-voice-40", 40)])
def test_they_are_as_large_as_they_are_called(name, size):
    assert len(load_taxonomy(name).names) == size


@pytest.mark.parametrize("name", LABEL_SETS)
def test_the_projects_own_are_its_label_sets(name):
    assert load_taxonomy(name).names == LABEL_SETS[name].classes


def test_brave_is_a_slot_that_says_why_it_is_empty():
    with pytest.raises(TaxonomyError, match="taxonomy 'brave': the names of BRAVE's 43 emotions could not be found"):
        load_taxonomy("brave")


def test_its_label_set_has_a_fate_for_every_canonical_emotion():
    labels = load_taxonomy("goemotions").label_set()
    fates = {emotion: labels.of(emotion) for emotion in EMOTIONS}
    assert (fates["hap"], fates["ang"], fates["neu"], fates["bor"]) == ("joy", "anger", "neutral", None)
    assert labels.of("gratitude") == "gratitude"


@pytest.mark.parametrize(
    ("emotion", "four", "goemotions"),
    [
        ("neu", "neu", "neutral"),
        ("neutral", "neu", "neutral"),
        ("joyful", "hap", None),
        ("joy", None, "joy"),
        ("happy", "hap", "joy"),
        ("excited", None, "excitement"),
        ("fearful", None, "fear"),
        ("hapy", None, None),
    ],
)
def test_an_emotion_finds_its_class_by_any_of_its_names(emotion, four, goemotions):
    assert load_taxonomy("four").class_of(emotion) == four
    assert load_taxonomy("goemotions").class_of(emotion) == goemotions


def test_a_downstream_config_takes_its_classes():
    settings = read_settings({"datarc": {"labels": "taxonomy:goemotions"}})
    assert settings.datarc.label_set == load_taxonomy("goemotions").label_set()
    with pytest.raises(ConfigError, match=r"datarc\.labels: taxonomy 'brave': the names of BRAVE's 43"):
        read_settings({"datarc": {"labels": "taxonomy:brave"}})
    with pytest.raises(MissingConfigError, match="taxonomies: got 'x', expected the path of a"):
        read_settings({"datarc": {"labels": "taxonomy:x"}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]", "expected a mapping, got list"),
        ("source: s\nclasses: {a: [a]}", "expected at least two classes"),
        ("source: s\nclasses: {a: [a], b: []}", "expected at least one word for each class, 'b' has none"),
        ("source: s\nclasses: {a: [a], b: [b]}\ncodes: {c: hap}", "expected codes of its classes, 'c' is none of them"),
        ("source: s\nclasses: {a: [a], b: [b]}\ncodes: {a: joy}", "expected canonical codes .*, 'joy' is none"),
        ("classes: {a: [a], b: [b]}", "source: missing"),
        ("a: [", "expected YAML"),
    ],
)
def test_a_wrong_one_is_named(tmp_path, text, expected):
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(TaxonomyError, match=rf"t\.yaml: {expected}"):
        load_taxonomy(tmp_path / "t.yaml")
