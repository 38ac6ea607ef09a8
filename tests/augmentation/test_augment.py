import json
import re

import numpy as np
import pytest

from augmentation import ChannelError, augment, load_channel
from augmentation.augment import copy_seed
from augmentation.carry import carry
from zero_shot_emotion import cli
from zero_shot_emotion.acoustics import active_level
from zero_shot_emotion.audio import Audio, read_audio, write_audio
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance, executors
from zero_shot_emotion.corpus.splits import split_dev
from zero_shot_emotion.testing import tiny_corpus

STEPS = ("room", "noise", "band", "codec")


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Corpus:
    return tiny_corpus(tmp_path_factory.mktemp("tiny"), dialogues=3)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def tone() -> Audio:
    return Audio(0.05 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000), 16_000)


def test_the_bytes_do_not_depend_on_the_workers(speech, tmp_path):
    for workers in (1, 2):
        augment(speech, tmp_path / str(workers), copies=2, original=True, seed=3, workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "2")


def test_what_is_drawn_does_not_depend_on_the_label_or_on_other_utterances(speech, tmp_path):
    angry = Corpus("angry", speech.root, tuple(u.with_(label="ang") for u in speech.utterances[::2]))
    made = {u.id: u for u in augment(speech, tmp_path / "all").corpus}

    for utterance in augment(angry, tmp_path / "angry").corpus:
        assert utterance.extra["augmentation"] == made[utterance.id].extra["augmentation"]


def test_copies_differ_and_keep_what_they_are_grouped_by(speech, tmp_path):
    corpus = augment(speech, tmp_path / "out", copies=2, original=True).corpus
    first = speech.utterances[0]
    copies = [u for u in corpus if u.extra["copy_of"] == first.id]

    assert [u.id for u in copies] == [first.id, f"{first.id}.1", f"{first.id}.2"]
    columns = ("text", "label", "speaker", "gender", "language", "dialogue", "turn", "split")
    assert {tuple(getattr(u, c) for c in columns) for u in copies} == {tuple(getattr(first, c) for c in columns)}
    drawn = [json.dumps(u.extra.get("augmentation")) for u in copies]
    assert drawn[0] == "null"
    assert drawn[1] != drawn[2]
    original = read_audio(corpus.audio_path(copies[0]), None)
    assert original.wave == pytest.approx(read_audio(speech.audio_path(first), None).wave, abs=1e-4)


@pytest.mark.parametrize("columns", [("speaker", "dialogue", "text"), ("dialogue", "text"), ("text",), ()])
def test_no_copy_lies_in_dev_while_its_original_is_in_train(speech, tmp_path, columns):
    known = ("id", "file_name", "label", *columns)
    bare = [Utterance(**{c: getattr(u, c) for c in known}) for u in speech]
    corpus = augment(Corpus("bare", speech.root, tuple(bare)), tmp_path / "out", copies=2, original=True).corpus
    train, dev, _ = split_dev(corpus, 0.3, seed=1)

    sides = [{u.extra["copy_of"] for u in side} for side in (train, dev)]
    assert not sides[0] & sides[1]
    assert sum(map(len, sides)) == len(speech)


def test_copies_of_copies_lie_where_the_first_original_lies(speech, tmp_path):
    bare = tuple(Utterance(id=u.id, file_name=u.file_name, label=u.label) for u in speech)
    once = augment(Corpus("bare", speech.root, bare), tmp_path / "once", channel="noise", copies=2).corpus
    corpus = augment(once, tmp_path / "twice", channel="noise", copies=2, original=True).corpus
    train, dev, _ = split_dev(corpus, 0.3, seed=1)

    sides = [{u.id.partition(".")[0] for u in side} for side in (train, dev)]
    assert not sides[0] & sides[1]
    assert {u.extra["copy_of"] for u in corpus} == {u.id for u in speech}


def test_the_card_names_datasheet_and_language_of_what_went_through(speech, tmp_path):
    told = {"labels": ["neu", "hap", "ang", "sad"], "datasheet": "iemocap", "language": "en"}
    source = Corpus("spoken", speech.root, speech.utterances[:2], told)
    card = json.loads((augment(source, tmp_path / "out", channel="noise").out / "corpus.json").read_text())
    assert {key: card[key] for key in told} == told


def test_one_copy_keeps_its_name(speech, tmp_path):
    corpus = augment(speech, tmp_path / "out").corpus

    assert [u.id for u in corpus] == [u.id for u in speech]
    assert not any("copy_of" in u.extra for u in corpus)


def test_the_card_says_what_was_done(speech, tmp_path):
    card = augment(speech, tmp_path / "out", channel="noise", seed=5).card

    assert (card["stage"], card["seed"], card["copies"], card["original"]) == ("augment", 5, 1, False)
    assert card["config"]["noise"]["snr_db"] == [10, 40]
    assert card["source"]["name"] == speech.name
    assert {"pyroomacoustics", "soundfile", "scipy", "soxr"} <= set(card["versions"])
    assert card["labels"] == speech.card["labels"]


@pytest.mark.parametrize("name", ["room", "noise", "codec", "telephone", "podcast", "varied"])
def test_the_active_level_is_kept_up_to_the_gain(tone, name):
    for seed in range(4):
        made, drawn = carry(tone, load_channel(name), seed)
        expected = active_level(tone.wave, 16_000) + drawn["level"]["gain_db"]
        assert active_level(made.wave, made.rate) == pytest.approx(expected, abs=1.5)
        assert np.isfinite(made.wave).all()


def test_a_step_that_is_taken_away_changes_no_other(tone):
    varied = load_channel("varied")
    for seed in range(20):
        _, drawn = carry(tone, varied, seed)
        for step in STEPS:
            _, without = carry(tone, varied.model_copy(update={step: None}), seed)
            kept = [key for key in STEPS if key != step]
            assert {key: without.get(key) for key in kept} == {key: drawn.get(key) for key in kept}


def test_noise_lies_under_the_speech_as_the_line_says(tone):
    channel = load_channel("noise")
    for seed in range(5):
        made, drawn = carry(tone, channel, seed)
        noise = made.wave - tone.wave * (made.wave @ tone.wave) / (tone.wave @ tone.wave)
        found = 10 * np.log10((tone.wave**2).mean() / (noise**2).mean())
        assert found == pytest.approx(drawn["noise"]["snr_db"], abs=0.7)


def test_given_responses_and_noises_are_used(channel, tmp_path, tone):
    response = np.zeros(3000)
    response[[100, 2100]] = [0.9, 0.45]
    write_audio(tmp_path / "rooms" / "hall.wav", Audio(response, 16_000))
    write_audio(tmp_path / "street" / "bus.wav", Audio(0.5 * np.sin(np.arange(8000)), 16_000))
    loaded = load_channel(channel("room: {responses: rooms}\nnoise: {snr_db: [20, 20], files: street}"))
    made, drawn = carry(tone, loaded, 0)

    assert drawn["room"] == {"response": str(tmp_path / "rooms" / "hall.wav")}
    assert drawn["noise"] == {"snr_db": 20.0, "file": str(tmp_path / "street" / "bus.wav")}
    assert len(made.wave) == len(tone.wave) + 2000


def test_a_gain_that_clips_says_so(channel):
    loud = Audio(0.9 * np.sin(np.arange(16_000)), 16_000)
    made, drawn = carry(loud, load_channel(channel("gain: {db: [6, 6]}")), 0)

    assert drawn["level"]["gain_db"] == 6
    assert drawn["level"]["clipped"] == pytest.approx(2 / np.pi * np.arccos(1 / (0.9 * 10**0.3)), abs=0.01)
    assert np.abs(made.wave).max() == 1


def test_seeds():
    seeds = {copy_seed(seed, name, copy) for seed in (0, 1) for name in ("a", "b") for copy in (1, 2)}
    assert len(seeds) == 8
    assert copy_seed(0, "a", 1) == 18053559670217673389


def test_errors(speech, tmp_path):
    with pytest.raises(ChannelError, match="copies: got 0, expected at least 1"):
        augment(speech, tmp_path / "out", copies=0)
    text = Corpus("text", speech.root, tuple(u.with_(file_name=None) for u in speech))
    with pytest.raises(CorpusError, match=re.escape("has no audio, only text")):
        augment(text, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command(speech, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    arguments = ["augment", str(speech.root), "-o", str(out), "-c", "codec", "--copies", "2", "-j", "1"]
    monkeypatch.setattr("sys.argv", ["zero-shot-emotion", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 0
    assert f"augment: {2 * len(speech)} utterances" in capsys.readouterr().out
    assert len(Corpus.load(out)) == 2 * len(speech)


def test_the_audio_can_be_spread_over_folders(speech, tmp_path, monkeypatch):
    said = f"augment {speech.root} -o {tmp_path / 'two'} -j 1 --shards 2 --executor local"
    monkeypatch.setattr("sys.argv", ["zero-shot-emotion", *said.split()])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    augment(speech, tmp_path / "one")

    assert sorted(p.name for p in (tmp_path / "two" / "audio").iterdir()) == ["0000", "0001"]
    sound = [{path.name: path.read_bytes() for path in (tmp_path / n).rglob("*.wav")} for n in ("one", "two")]
    assert sound[0] == sound[1] != {}


def test_a_cluster_that_is_not_there_is_an_error(speech, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(executors, "CONNECT_SECONDS", 0.5)
    said = f"augment {speech.root} -o {tmp_path / 'out'} --scheduler tcp://127.0.0.1:9"
    monkeypatch.setattr("sys.argv", ["zero-shot-emotion", *said.split()])

    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "error: --scheduler tcp://127.0.0.1:9: does not answer" in capsys.readouterr().err


def test_a_second_channel_is_told_in_lines_and_summary(speech, tmp_path):
    first = augment(speech, tmp_path / "first", channel="telephone")
    assert "twice" not in first.summary()

    second = augment(first.corpus, tmp_path / "second", channel="room")

    assert second.summary().endswith(f"\n  twice     augmented before, both are in the sound: telephone {len(speech)}")
    for before, after in zip(first.corpus, second.corpus, strict=True):
        assert after.extra["augmentation"]["channel"] == "room"
        assert after.extra["augmentation"]["before"] == before.extra["augmentation"]
