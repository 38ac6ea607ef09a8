"""The tiny corpus that ships for tests, this project's and its users'."""

from pathlib import Path

import soundfile

from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.testing import tiny_corpus


def test_it_is_balanced_and_complete(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path / "corpus", dialogues=3, turns=4, rate=8000)
    assert Corpus.load(tmp_path / "corpus").utterances == corpus.utterances
    assert corpus.counts() == {"ang": 3, "hap": 3, "neu": 3, "sad": 3}
    assert len({u.speaker for u in corpus}) == 6
    for utterance in corpus:
        info = soundfile.info(corpus.audio_path(utterance))
        assert (info.samplerate, info.channels) == (8000, 1)
        assert 0.4 <= info.duration <= 0.8


def test_the_seed_fixes_every_byte(tmp_path: Path) -> None:
    def content(name: str, seed: int) -> dict[str, bytes]:
        root = tiny_corpus(tmp_path / name / "corpus", dialogues=1, seed=seed).root
        return {path.name: path.read_bytes() for path in root.rglob("*.*")}

    assert content("a", 1) == content("b", 1)
    assert content("a", 1) != content("c", 2)
