"""The sets of an experiment: named in the config, or by the seed work's lists."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.experiment import BOOTSTRAPS, run_downstream, small_config
from zero_shot_emotion.corpus import FOUR, Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.seed_format import write_meta_data
from zero_shot_emotion.results import read_results
from zero_shot_emotion.settings import CorporaSettings, DataSettings
from zero_shot_emotion.sources import Entry, Source, Sources
from zero_shot_emotion.testing import tiny_corpus


def sources(seed: int = 0, fold: str | None = None, **datarc: Any) -> Sources:
    return Sources(DataSettings.model_validate(datarc), seed, fold)


class TestNamedCorpora:
    def test_train_and_dev_share_no_dialogue_and_no_speaker(
        self, synthetic: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        train, dev = sources(train=str(synthetic)).train_and_dev
        for key in ("dialogue", "speaker"):
            values = [{getattr(entry, key) for entry in source.entries} for source in (train, dev)]
            assert not set.intersection(*values)
        assert capsys.readouterr().out == (
            "[Expert] - synthetic: 20 train, 4 dev, split by speaker and dialogue\n"
            "[Expert] - train: 20 utterances (neu 5, hap 5, ang 5, sad 5); dropped: nothing\n"
            "[Expert] - dev: 4 utterances (neu 1, hap 1, ang 1, sad 1); dropped: nothing\n"
        )

    def test_the_seed_fixes_the_split(self, synthetic: Path) -> None:
        def dev(seed: int) -> set[str]:
            return {entry.id for entry in sources(seed, train=str(synthetic)).get("dev").entries}

        assert dev(1) == dev(1)
        assert any(dev(seed) != dev(1) for seed in range(2, 8))

    def test_every_corpus_gives_something_to_dev(self, tmp_path: Path) -> None:
        roots = [str(tiny_corpus(tmp_path / name, seed=i).root) for i, name in enumerate("ab")]
        found = sources(train=roots, targets={"a": roots[0]})
        for split in ("train", "dev"):
            assert {entry.corpus for entry in found.get(split).entries} == {"a", "b"}
        assert found.get("train").entries[0].id.startswith("a/")
        assert found.get("a").entries[0].id == "d00-00"  # alone, it needs no prefix

    def test_a_dev_set_without_a_class_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        corpus = tiny_corpus(tmp_path / "corpus")
        one_a_dialogue = {f"d{i:02d}": label for i, label in enumerate(("neu", "hap", "ang", "sad"))}
        utterances = tuple(u.with_(label=one_a_dialogue.get(u.dialogue or "", "neu"), speaker=None) for u in corpus)
        Corpus("corpus", corpus.root, utterances).save(corpus.root)

        train, dev = sources(train=str(corpus.root)).train_and_dev
        absent = {e.label for e in train.entries} - {e.label for e in dev.entries}
        names = ", ".join(sorted(FOUR.classes[label] for label in absent))
        assert absent
        assert f"[Expert] - corpus: WARNING: dev holds no {names}: name a dev set\n" in capsys.readouterr().out

    def test_drops_of_the_label_set_are_counted(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        corpus = tiny_corpus(tmp_path / "corpus")
        relabelled = {"d00-00": "fru", "d01-00": "exc", "d02-00": "fru", "d03-00": "xxx"}
        utterances = tuple(u.with_(label=relabelled.get(u.id, u.label)) for u in corpus)
        Corpus("corpus", corpus.root, utterances).save(corpus.root)

        source = sources(targets={"target": str(corpus.root)}).get("target")
        assert source.drops == {"fru": 2, "xxx": 1}
        assert len(source.entries) == 21
        assert {entry.id: entry.label for entry in source.entries}["d01-00"] == FOUR.classes.index("hap")
        assert capsys.readouterr().out.endswith("dropped: fru 2, xxx 1\n")

    def test_a_set_without_a_usable_label_is_refused(self, tmp_path: Path) -> None:
        utterance = Utterance(id="a", file_name="a.wav", label="fru")
        Corpus("corpus", tmp_path, (utterance,)).save(tmp_path)
        message = "target: no utterance is left in the label set 'four'; dropped: fru 1"
        with pytest.raises(CorpusError, match=f"^{message}$"):
            sources(targets={"target": str(tmp_path)}).get("target")

    def test_nothing_to_train_on_is_an_error_of_training_alone(self, synthetic: Path) -> None:
        found = sources(targets={"target": str(synthetic)})
        assert len(found.get("target").entries) == 24
        message = "config: downstream_expert.datarc.train: names no corpus to train on"
        with pytest.raises(CorpusError, match=f"^{re.escape(message)}$"):
            found.get("train")

    def test_a_missing_corpus_is_named(self, tmp_path: Path) -> None:
        missing = tmp_path / "nowhere"
        with pytest.raises(CorpusError, match=rf"{re.escape(str(missing))}: no such file or folder"):
            sources(train=str(missing)).get("train")

    def test_a_corpus_is_opened_once(self, synthetic: Path) -> None:
        found = sources(targets={"only": str(synthetic)})
        assert found.get("test") is found.get("only")

    @pytest.mark.parametrize(
        ("targets", "names"),
        [
            ({}, ("train", "dev")),
            ({"a": "x"}, ("train", "dev", "a", "test")),
            ({"test": "x"}, ("train", "dev", "test")),
            ({"a": "x", "b": "y"}, ("train", "dev", "a", "b")),
        ],
    )
    def test_names_are_what_t_takes(self, targets: dict[str, str], names: tuple[str, ...]) -> None:
        assert sources(targets=targets).names == names


class TestGroups:
    @staticmethod
    def source(*groups: tuple[str | None, str | None]) -> Source:
        return Source(tuple(Entry(str(i), Path(), 0, "c", *group) for i, group in enumerate(groups)), {})

    @pytest.mark.parametrize(
        ("groups", "expected"),
        [
            ([("s1", "d1"), ("s2", "d1")], (["c/s1", "c/s2"], "speaker")),
            ([("s1", "d1"), (None, "d2")], (["c/d1", "c/d2"], "dialogue")),
            ([("s1", "d1"), ("s1", "d2")], (["c/d1", "c/d2"], "dialogue")),
            ([(None, None), (None, "d2")], (None, "utterance")),
            ([("s1", None), ("s1", None)], (None, "utterance")),
        ],
    )
    def test_are_speakers_then_dialogues(self, groups: list[Any], expected: Any) -> None:
        assert self.source(*groups).groups == expected


class TestSeedConfig:
    """The seed work's own config, keys and all."""

    DATARC = {  # noqa: RUF012
        "iem_root": "/path/to/IEMOCAP_full_release",
        "syn_root": "/path/to/synthetic",
        "meta_data": "/path/to/meta_data",
        "test_fold": "fold1",
        "pre_load": True,
        "train_batch_size": 4,
        "eval_batch_size": 4,
        "num_workers": 4,
        "valid_ratio": 0.2,
    }
    MODELRC = {  # noqa: RUF012
        "projector_dim": 256,
        "select": "UtteranceLevel",
        "UtteranceLevel": {"pooling": "MeanPooling"},
        "DeepModel": {
            "model_type": "CNNSelfAttention",
            "hidden_dim": 80,
            "kernel_size": 5,
            "padding": 2,
            "pooling": 5,
            "dropout": 0.4,
        },
    }

    @staticmethod
    def lists(folder: Path, name: str, corpus: Corpus, grouped: bool) -> None:
        """Write a list as the seed work does, which knows no speaker and no dialogue, or as this project does."""
        path = folder / f"{name}_meta_data.json"
        write_meta_data(corpus, FOUR, path)
        if not grouped:
            data = json.loads(path.read_text(encoding="utf-8"))
            for entry in data["meta_data"]:
                del entry["speaker"], entry["dialogue"]
            path.write_text(json.dumps(data), encoding="utf-8")

    def config(self, tmp_path: Path, synthetic: Path, unseen: Path, fold: str, dev: bool, grouped: bool) -> Path:
        corpus = Corpus.load(synthetic)
        folder = tmp_path / "meta_data" / fold
        self.lists(folder, "train", corpus.where(lambda u: not dev or u.dialogue != "d05"), grouped)
        if dev:
            self.lists(folder, "dev", corpus.where(lambda u: u.dialogue == "d05"), grouped)
        self.lists(folder, "test", Corpus.load(unseen), grouped)
        config = small_config()
        places = {"iem_root": str(unseen), "syn_root": str(synthetic), "meta_data": str(tmp_path / "meta_data")}
        config["downstream_expert"] = {"datarc": {**self.DATARC, **places, "num_workers": 0}, "modelrc": self.MODELRC}
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    @pytest.mark.parametrize("grouped", [False, True], ids=["plain lists", "lists with speakers"])
    @pytest.mark.parametrize("dev", [False, True], ids=["dev split off", "dev listed"])
    @pytest.mark.parametrize("fold", ["fold1", "Session1"])
    def test_runs_unchanged(
        self, tmp_path: Path, synthetic: Path, unseen: Path, fold: str, dev: bool, grouped: bool
    ) -> None:
        config = self.config(tmp_path, synthetic, unseen, fold, dev, grouped)
        experiment = tmp_path / "experiment"
        run_downstream(
            *("-m", "train", "-u", "fbank_no_cmvn", "-d", "zero_shot_emotion"),
            *("-c", config, "-p", experiment, "--device", "cpu"),
        )
        run_downstream("-m", "evaluate", "-e", experiment / "states-2.ckpt", "--device", "cpu")
        report = read_results(experiment)["test"]
        assert report["utterances"] == 16
        assert report["intervals"] == f"95%, {BOOTSTRAPS} bootstraps by {'speaker' if grouped else 'utterance'}"

        splits = json.loads((experiment / "splits.json").read_text(encoding="utf-8"))
        dialogues = {name: {re.search(r"d\d\d", id_).group() for id_ in splits[name]} for name in splits}  # type: ignore[union-attr]
        assert sum(map(len, splits.values())) == 24
        if dev:
            assert dialogues["dev"] == {"d05"}
        if dev or grouped:
            assert not dialogues["train"] & dialogues["dev"]

    def test_v_chooses_the_fold_where_the_config_names_none(
        self, tmp_path: Path, synthetic: Path, unseen: Path
    ) -> None:
        config = self.config(tmp_path, synthetic, unseen, "fold3", dev=False, grouped=True)
        run_downstream(
            *("-m", "train", "-u", "fbank_no_cmvn", "-d", "zero_shot_emotion", "-c", config, "--device", "cpu"),
            *("-p", tmp_path / "experiment", "-v", "fold3"),
            *("-o", "config.downstream_expert.datarc.test_fold=None"),
        )
        assert (tmp_path / "experiment" / "states-2.ckpt").exists()

    def test_a_missing_fold_is_named(self, tmp_path: Path, synthetic: Path, unseen: Path) -> None:
        config = self.config(tmp_path, synthetic, unseen, "fold1", dev=False, grouped=True)
        folder = tmp_path / "meta_data"
        message = f"test_fold: got 'fold2', expected a folder {folder / 'fold2'} or {folder / 'Session2'}"
        with pytest.raises(CorpusError, match=f"^{re.escape(message)}$"):
            run_downstream(
                *("-m", "train", "-u", "fbank_no_cmvn", "-d", "zero_shot_emotion", "-c", config, "--device", "cpu"),
                *("-p", tmp_path / "experiment", "-o", "config.downstream_expert.datarc.test_fold=fold2"),
            )

    def test_a_missing_root_is_named(self, tmp_path: Path, synthetic: Path, unseen: Path) -> None:
        self.config(tmp_path, synthetic, unseen, "fold1", dev=False, grouped=True)
        found = sources(meta_data=str(tmp_path / "meta_data"))
        message = "config: downstream_expert.datarc.syn_root: missing, expected beside 'meta_data'"
        with pytest.raises(CorpusError, match=f"^{re.escape(message)}$"):
            found.get("train")

    def test_other_classes_are_refused(self, tmp_path: Path, synthetic: Path, unseen: Path) -> None:
        self.config(tmp_path, synthetic, unseen, "fold1", dev=False, grouped=True)
        path = tmp_path / "meta_data" / "fold1" / "train_meta_data.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        data["labels"] = {"hap": 0, "neu": 1, "ang": 2, "sad": 3}
        path.write_text(json.dumps(data), encoding="utf-8")
        message = (
            f"{path}: labels: got hap, neu, ang, sad in this order, expected neu, hap, ang, sad "
            "as the config's label set 'four' has them"
        )
        with pytest.raises(CorpusError, match=f"^{re.escape(message)}$"):
            sources(meta_data=str(tmp_path / "meta_data"), syn_root=str(synthetic)).get("train")


def test_dev_has_the_context_that_train_and_targets_have(tmp_path):
    """Turns that the label set drops were said all the same."""
    labels = ("ang", "sur", "hap", "neu", "sad", "fea")
    said = [
        Utterance(id=f"d{d}-{turn}", text=f"{label} {d}", label=label, dialogue=f"d{d}", turn=turn, speaker=f"s{d}")
        for d in range(10)
        for turn, label in enumerate(labels)
    ]
    Corpus("talk", tmp_path, tuple(said)).save(tmp_path)
    settings = CorporaSettings(train=(str(tmp_path),), targets={"all": str(tmp_path)})
    sources = Sources(settings, seed=0, medium="text", context=1)
    expected = {entry.id: entry.before for entry in sources.get("all").entries}
    assert expected["d4-2"] == ("sur 4",)
    dev = sources.get("dev").entries
    assert {entry.id: entry.before for entry in dev} == {entry.id: expected[entry.id] for entry in dev}
    assert any(entry.before[0].startswith("sur") for entry in dev if entry.before)
