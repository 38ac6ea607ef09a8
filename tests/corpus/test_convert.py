from pathlib import Path

import pytest

from zero_shot_emotion.corpus import Corpus, CorpusError
from zero_shot_emotion.corpus.convert import convert
from zero_shot_emotion.testing import tiny_corpus


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_a_converted_corpus_holds_the_same_utterances_and_sounds(tmp_path: Path, mode: str) -> None:
    source = tiny_corpus(tmp_path / "source", dialogues=2)

    made = convert(source, tmp_path / "made", mode)  # type: ignore[arg-type]

    assert [u.with_(file_name=None) for u in made] == [u.with_(file_name=None) for u in source]
    for before, after in zip(source, made, strict=True):
        assert made.audio_path(after).read_bytes() == source.audio_path(before).read_bytes()
        assert made.audio_path(after).is_symlink() == (mode == "link")


def test_converting_again_replaces_what_is_there(tmp_path: Path) -> None:
    source = tiny_corpus(tmp_path / "source", dialogues=2)
    convert(source, tmp_path / "made", "link")

    made = convert(source, tmp_path / "made", "copy")

    assert not any(made.audio_path(u).is_symlink() for u in made)


def test_text_alone_is_converted_too(tmp_path: Path) -> None:
    source = tiny_corpus(tmp_path / "source", dialogues=2)
    text = Corpus("text", source.root, tuple(u.with_(file_name=None) for u in source))

    assert [u.text for u in convert(text, tmp_path / "made")] == [u.text for u in source]


def test_missing_audio_is_named(tmp_path: Path) -> None:
    source = tiny_corpus(tmp_path / "source", dialogues=2)
    source.audio_path(source.utterances[3]).unlink()

    with pytest.raises(CorpusError, match=r"corpus 'source', utterance 'd00-03': .*d00-03.wav: no such file"):
        convert(source, tmp_path / "made")
    with pytest.raises(CorpusError, match="the stage 'corpus convert' has not finished here"):
        Corpus.load(tmp_path / "made")


def test_a_corpus_is_not_converted_into_itself(tmp_path: Path) -> None:
    """Its audio would become links that lead to themselves."""
    source = tiny_corpus(tmp_path / "source", dialogues=2)
    before = {path: path.read_bytes() for path in source.root.rglob("*") if path.is_file()}

    with pytest.raises(CorpusError, match=r"-o .*source: is the input itself, expected another folder"):
        convert(source, source.root)
    with pytest.raises(CorpusError, match="is the input itself"):
        convert(source, tmp_path / "." / "source", "copy")

    assert {path: path.read_bytes() for path in source.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_audio_that_lies_in_the_new_folder_already_stays(tmp_path: Path, mode: str) -> None:
    """As that of a manifest elsewhere that names its audio by absolute paths."""
    source = tiny_corpus(tmp_path / "source", dialogues=2)
    sounds = {u.id: source.audio_path(u).read_bytes() for u in source}
    linked = tuple(u.with_(file_name=str(source.audio_path(u).resolve())) for u in source)

    made = convert(Corpus("linked", tmp_path / "linked", linked), source.root, mode)  # type: ignore[arg-type]

    assert {u.id: made.audio_path(u).read_bytes() for u in made} == sounds
