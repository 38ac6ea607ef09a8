from pathlib import Path

import pytest
import yaml

from zero_shot_emotion.benchmark.leave_one_out import leave_one_language_out, write_leave_one_language_out
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.settings import ConfigError, read_settings


@pytest.fixture(name="spec")
def _spec(tmp_path: Path) -> str:
    lines = [("de", "x"), ("fr", "x"), ("fr-CA", "y"), ("cmn", "x")]
    utterances = tuple(Utterance(id=tag, language=tag, label="sad", split=split) for tag, split in lines)
    Corpus("mine", tmp_path, utterances).save(tmp_path)
    return str(tmp_path)


def test_each_language_is_tested_by_what_was_trained_on_all_others(spec: str) -> None:
    found = leave_one_language_out(spec)
    assert list(found) == ["cmn", "de", "fr"]
    for language, (train, test) in found.items():
        trained, tested = ({u.id for u in open_corpus(s)} for s in (train, test))
        assert {tag.split("-")[0] for tag in tested} == {language}
        assert trained | tested == {"de", "fr", "fr-CA", "cmn"}
        assert not trained & tested


def test_splits_stay_selected(spec: str) -> None:
    train, test = leave_one_language_out(f"{spec}#x")["fr"]
    assert [u.id for u in open_corpus(train)] == ["de", "cmn"]
    assert [u.id for u in open_corpus(test)] == ["fr"]


def test_configs_are_those_of_the_template_with_other_corpora(spec: str, tmp_path: Path) -> None:
    paths = write_leave_one_language_out("demo", spec, tmp_path / "configs")
    assert [path.name for path in paths] == ["cmn.yaml", "de.yaml", "fr.yaml"]
    written = yaml.safe_load(paths[1].read_text())
    settings = read_settings(written["downstream_expert"])
    assert settings.datarc.train == (f"{spec}#@-de",)
    assert settings.datarc.targets == {"de": f"{spec}#@de"}
    template = yaml.safe_load(Path("configs/downstream/demo.yaml").read_text())
    assert written["runner"] == template["runner"]
    assert written["downstream_expert"]["modelrc"] == template["downstream_expert"]["modelrc"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("runner: {}", "downstream_expert: missing, expected a section of s3prl's downstream config"),
        ("downstream_expert: 3", "downstream_expert: got 3, expected a section of s3prl's downstream config"),
        ("downstream_expert: {}", "downstream_expert.datarc: missing, expected a section of s3prl's downstream config"),
        ("downstream_expert: [", "expected YAML: while parsing a flow node, expected the node content"),
        ("- a", "expected a mapping, got list"),
    ],
)
def test_a_template_without_what_is_needed_is_named(spec: str, tmp_path: Path, content: str, message: str) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(content)
    with pytest.raises(ConfigError, match=rf"^{template}: {message}"):
        write_leave_one_language_out(template, spec, tmp_path / "configs")
    assert not (tmp_path / "configs").exists()


@pytest.mark.parametrize(
    ("part", "message"),
    [("#@-de", "selects languages, expected all of them"), ("#y", "languages: got fr, expected at least two")],
)
def test_refuses(spec: str, part: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        leave_one_language_out(spec + part)
