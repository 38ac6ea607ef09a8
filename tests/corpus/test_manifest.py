import pickle

import pytest

from zero_shot_emotion.corpus import MANIFEST, Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.manifest import Manifest
from zero_shot_emotion.corpus.repeats import Repeats


@pytest.fixture
def corpus(tmp_path):
    made = Corpus("made", tmp_path, tuple(Utterance(id=f"u{i}", label="neu", text="ä" * i) for i in range(9)))
    made.save(tmp_path)
    return made


def test_it_is_a_sequence_of_the_utterances(tmp_path, corpus):
    manifest = Manifest(tmp_path / MANIFEST)

    assert len(manifest) == 9
    assert list(manifest) == list(manifest) == list(corpus)
    assert (manifest[4], manifest[-1], manifest[2:4]) == (
        *(corpus.utterances[i] for i in (4, -1)),
        corpus.utterances[2:4],
    )
    assert manifest == corpus.utterances
    assert manifest != corpus.utterances[:-1]
    assert pickle.loads(pickle.dumps(manifest)) == manifest
    with pytest.raises(IndexError):
        manifest[9]


def test_a_part_of_it_reads_only_that(tmp_path, corpus):
    odd = Corpus.load(tmp_path).where(lambda u: int(u.id[1:]) % 2 == 1)

    assert [u.id for u in odd] == ["u1", "u3", "u5", "u7"]
    assert [line.decode() for line in odd.utterances.lines()] == [u.to_line() for u in odd]


def test_blank_lines_and_foreign_ones_are_read(tmp_path):
    (tmp_path / MANIFEST).write_text('{"file_name": "a b.wav"}\n\n  \n{"id": "c"}')

    assert [u.id for u in Manifest(tmp_path / MANIFEST)] == ["a_b", "c"]


def test_a_manifest_that_has_changed_is_not_read_as_if_it_had_not(tmp_path, corpus):
    opened = Corpus.load(tmp_path)
    Corpus("other", tmp_path, corpus.utterances[1:]).save(tmp_path)

    with pytest.raises(CorpusError) as error:
        list(opened)

    assert str(error.value) == f"{tmp_path / MANIFEST}: has changed since it was opened, expected it to stay as it was"


def test_repeats_are_found_whatever_their_hashes():
    class Clash(str):
        """All have one hash."""

        __slots__ = ()

        def __hash__(self):
            return 7

    for name in (str, Clash):
        names = [name(text) for text in ("a", "b", "c", "b", "a", "b")]
        repeats = Repeats()
        for each in names:
            repeats.add(each)
        found = {str(each): places for each, places in repeats.find(names).items()}
        assert found == {"a": [0, 4], "b": [1, 3, 5]}
        assert len(repeats) == 6
    assert Repeats().find([]) == {}
