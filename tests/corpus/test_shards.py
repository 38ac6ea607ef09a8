import json
import sys

import pytest

from zero_shot_emotion.corpus import CARD, Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.shards import write_shards
from zero_shot_emotion.testing import tiny_corpus

pytest.importorskip("webdataset")
pytest.importorskip("datasets")


@pytest.fixture
def corpus(tmp_path):
    """Columns that not every utterance has, nested ones, and an id with a dot."""
    tiny = tiny_corpus(tmp_path / "tiny", dialogues=2, seconds=0.1)
    first, second, *others = tiny
    injection = {"method": "rules", "parameters": {"f0_mean": 1.5}}
    changed = (
        first.with_(id="d00.a", takes=2, injection=injection),
        second.with_(injection={**injection, "parameters": {"f0_mean": 1.25, "snr_db": 30.0}}),
        *others,
    )
    return Corpus(tiny.name, tiny.root, changed, tiny.card)


def test_webdataset_opens_them(tmp_path, corpus):
    import webdataset

    shards = write_shards(corpus, tmp_path / "out", "webdataset", utterances=3)

    assert [shard.name for shard in shards] == [f"0000{n}-of-00003.tar" for n in range(3)]
    samples = list(webdataset.WebDataset([str(shard) for shard in shards], shardshuffle=False))
    assert [Utterance.model_validate_json(sample["json"]) for sample in samples] == list(corpus)
    assert [sample["wav"] for sample in samples] == [corpus.audio_path(u).read_bytes() for u in corpus]


def test_datasets_opens_them(tmp_path, corpus):
    from datasets import Audio, load_dataset

    shards = write_shards(corpus, tmp_path / "out", "parquet", utterances=3)

    files = [str(shard) for shard in shards]
    opened = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert isinstance(opened.features["audio"], Audio)
    rows = list(opened.cast_column("audio", Audio(decode=False)))
    assert [row["audio"]["bytes"] for row in rows] == [corpus.audio_path(u).read_bytes() for u in corpus]
    assert [(row["id"], row["label"], row["turn"]) for row in rows] == [(u.id, u.label, u.turn) for u in corpus]
    assert [row["takes"] for row in rows] == [2, *[None] * 7]
    assert rows[1]["injection"]["parameters"] == {"f0_mean": 1.25, "snr_db": 30.0}


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_the_same_corpus_gives_the_same_bytes_and_the_card_goes_along(tmp_path, corpus, form):
    first, again = (write_shards(corpus, tmp_path / name, form) for name in ("first", "again"))

    assert [shard.read_bytes() for shard in first] == [shard.read_bytes() for shard in again]
    card = json.loads((tmp_path / "first" / CARD).read_text())
    assert (card["name"], card["utterances"], card["labels"]) == (corpus.name, 8, corpus.card["labels"])


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_text_alone_can_be_written(tmp_path, form):
    corpus = Corpus("text", tmp_path, (Utterance(id="a", text="Yes."), Utterance(id="b", text="No.")))

    (shard,) = write_shards(corpus, tmp_path / "out", form)

    assert shard.stat().st_size > 0


def test_what_cannot_be_written_is_told(tmp_path, corpus, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(CorpusError) as error:
        write_shards(corpus, tmp_path / "full", "parquet")
    assert str(error.value) == f"-o {tmp_path / 'full'}: is not empty, expected a new folder"

    path = corpus.audio_path(corpus.utterances[3])
    path.unlink()
    with pytest.raises(CorpusError) as error:
        write_shards(corpus, tmp_path / "out", "webdataset")
    assert str(error.value) == f"corpus 'tiny', utterance 'd00-03': {path}: no such file"

    monkeypatch.setitem(sys.modules, "webdataset", None)
    with pytest.raises(CorpusError) as error:
        write_shards(corpus, tmp_path / "none", "webdataset")
    assert str(error.value).endswith("expected: pip install 'zero-shot-emotion[shards]'")
