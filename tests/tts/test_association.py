from pathlib import Path

import pytest

from tts import Voice, cast, speaker_key
from tts.association import associate
from zero_shot_emotion.corpus import Corpus, Utterance

VOICES = [Voice(f"{gender}-{n}", "en", gender) for gender in ("female", "male") for n in range(6)]
LABELS = ("ang", "hap", "neu", "sad")


def corpus(*utterances):
    return Corpus("toy", Path("toy"), tuple(utterances))


def speakers(label_of, count=120, turns=5):
    return corpus(
        *(
            Utterance(id=f"{s}-{t}", speaker=f"s{s}", gender=("female", "male")[s % 2], label=label_of(s, t))
            for s in range(count)
            for t in range(turns)
        )
    )


def test_a_voice_that_tells_the_label_is_told():
    toy = speakers(lambda s, t: LABELS[s % 4])
    told = associate(toy, {speaker_key(u): VOICES[int(u.speaker[1:]) % 4] for u in toy})
    assert told.cramers_v == pytest.approx(1)
    assert told.by_chance < 0.1
    assert told.p < 0.01
    assert "the voice tells the label" in told.summary()


def test_the_casting_tells_nothing_even_where_every_speaker_has_one_label():
    toy = speakers(lambda s, t: LABELS[(s // 2 * 7 // 3) % 4], turns=1, count=480)
    told = associate(toy, cast(toy, VOICES, seed=0))
    assert told.p > 0.2
    assert told.cramers_v <= told.by_chance
    for row in told.balance.values():
        assert row["voices"] == 12
        assert row["commonest"] < 0.12
    assert "no more than by chance" in told.summary()


def test_each_voice_is_spread_over_the_classes():
    toy = speakers(lambda s, t: LABELS[(s // 2) % 4], turns=1, count=12 * 4)
    voices = cast(toy, VOICES, seed=3)
    labels = {u.speaker: u.label for u in toy}
    for voice in VOICES:
        assert sorted(labels[s] for s, v in voices.items() if v == voice) == list(LABELS)


def test_balance_counts():
    toy = corpus(
        Utterance(id="a", speaker="x", label="ang"),
        Utterance(id="b", speaker="x", label="sad"),
        Utterance(id="c", speaker="y", label="sad"),
    )
    told = associate(toy, {"x": VOICES[0], "y": VOICES[6]})
    assert told.card()["balance"] == {
        "ang": {"utterances": 1, "voices": 1, "female": 1.0, "commonest": 1.0},
        "sad": {"utterances": 2, "voices": 2, "female": 0.5, "commonest": 0.5},
    }


def test_nothing_to_tell():
    toy = corpus(Utterance(id="a", label="ang"), Utterance(id="b"))
    assert associate(toy, {"utterance a": VOICES[0], "utterance b": VOICES[1]}) is None
