import json
from dataclasses import replace

import pytest

from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.benchmark.audit import Heard, compare, normalised, refuse_shared_audio, trained_on, write_audit
from zero_shot_emotion.benchmark.fingerprint import AudioHashes, fingerprint
from zero_shot_emotion.benchmark.grid import GridError
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture
def hashes(tmp_path):
    return AudioHashes(tmp_path / "hashes.json")


def heard(name, corpus, hashes):
    return Heard(name, corpus, hashes.of(corpus))


def test_a_copy_is_found_by_its_sound_whatever_its_name_and_container(tmp_path, hashes):
    import soundfile

    whole = tiny_corpus(tmp_path / "a", dialogues=2)
    audio = read_audio(whole.audio_path(whole.utterances[3]), rate=None)
    (tmp_path / "b").mkdir()
    soundfile.write(tmp_path / "b/other.flac", audio.wave, audio.rate, subtype="PCM_16")
    copy = Corpus("b", tmp_path / "b", (whole.utterances[3].with_(id="x", file_name="other.flac", text="other"),))

    found = compare(heard("source", whole, hashes), heard("target", copy, hashes))

    assert (found.audio, found.texts, found.utterances, found.examples["audio"]) == (1, 0, 1, ["x"])
    with pytest.raises(GridError, match="leakage: source and target share the sound of 1 utterances"):
        refuse_shared_audio([found])


def test_texts_are_compared_without_case_and_punctuation(tmp_path, hashes):
    one, two = tiny_corpus(tmp_path / "a", dialogues=1), tiny_corpus(tmp_path / "b", dialogues=1, seed=1)
    two = replace(two, utterances=(two.utterances[0].with_(text="WORDS of turn 0,  in dialogue 0!"),))
    found = compare(heard("a", one, hashes), heard("b", two, hashes))
    assert (found.texts, found.audio) == (1, 0)
    assert found.warning == "a shares with b (1 utterances): 1 utterances with the same text"
    refuse_shared_audio([found])


def test_names_of_speakers_mean_the_same_within_one_corpus_alone(tmp_path, hashes):
    def read_by(reader, corpus):
        blank = tuple(u.with_(text=None) for u in corpus)
        return replace(corpus, utterances=blank, card={"reader": reader})

    one, two = tiny_corpus(tmp_path / "a", dialogues=1), tiny_corpus(tmp_path / "b", dialogues=1, seed=1)
    found = compare(heard("a", read_by("meld", one), hashes), heard("b", read_by("meld", two), hashes))
    assert found.warning == "a shares with b (4 utterances): 2 speakers, 1 dialogues"
    found = compare(heard("a", read_by("meld", one), hashes), heard("b", read_by("esd", two), hashes))
    assert (found.speakers, found.warning) == (2, None)


@pytest.mark.parametrize(
    ("upstream", "corpora"),
    [
        ("hf_audio audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim", ["msp-podcast"]),
        ("emotion2vec ", ["iemocap", "meld", "msp-podcast"]),
        ("hf_audio superb/wav2vec2-base-superb-er", ["iemocap"]),
        ("data2vec ", []),
    ],
)
def test_upstreams_that_heard_a_target_are_known(upstream, corpora):
    targets = {name: name for name in ("iemocap", "meld", "msp-podcast", "emodb")}
    found = trained_on([("mine", upstream)], targets)
    assert [trained.target for trained in found] == corpora
    assert all(
        trained.source and trained.warning.startswith(f"mine was trained on {trained.target}") for trained in found
    )


def test_the_audit_is_written_with_its_warnings(tmp_path, hashes):
    corpus = tiny_corpus(tmp_path / "a", dialogues=1)
    shared = compare(heard("a", corpus, hashes), heard("b", corpus, hashes))
    warnings = write_audit(tmp_path, [shared], trained_on([("e", "emotion2vec")], {"t": "meld"}))
    found = json.loads((tmp_path / "audit.json").read_text())
    assert found["warnings"] == warnings
    assert found["shared"][0]["audio"] == 4
    assert "e was trained on t, unlabelled: not zero-shot there" in warnings[1]


def test_hashes_are_kept_until_a_file_changes(tmp_path, hashes, monkeypatch):
    corpus = tiny_corpus(tmp_path / "a", dialogues=1)
    first = hashes.of(corpus)
    monkeypatch.setattr("zero_shot_emotion.benchmark.fingerprint._hash", lambda path: "anew")
    again = AudioHashes(tmp_path / "hashes.json")
    assert again.of(corpus) == first
    path = corpus.audio_path(corpus.utterances[0])
    path.write_bytes(path.read_bytes() + b"\0\0")
    assert again.of(corpus) == {**first, corpus.utterances[0].id: "anew"}


def test_a_fingerprint_tells_labels_and_sounds(tmp_path, hashes):
    corpus = tiny_corpus(tmp_path / "a", dialogues=1)
    found = hashes.of(corpus)
    relabelled = replace(corpus, utterances=(corpus.utterances[0].with_(label="sad"), *corpus.utterances[1:]))
    other = {**found, corpus.utterances[0].id: "other"}
    assert len({fingerprint(corpus, found), fingerprint(relabelled, found), fingerprint(corpus, other)}) == 3
    assert fingerprint(corpus) != fingerprint(relabelled)


def test_normalised():
    assert normalised("Ｗell — I'm  fine!") == "well i m fine"
