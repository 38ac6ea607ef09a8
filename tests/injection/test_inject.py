import json
import re
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from injection import InjectionError, inject, load_method
from injection.by_rule import ByRule
from injection.inject import utterance_seed
from injection.loudness import REFERENCE_DB
from injection.method import Settings
from injection.rules import Prosody, RuleSet, load_rules
from injection.world import analyse, track
from zero_shot_emotion import registry
from zero_shot_emotion.acoustics import active_level, trim
from zero_shot_emotion.audio import Audio, read_audio
from zero_shot_emotion.corpus import Corpus, CorpusError

EMOTIONS = ("ang", "hap", "neu", "sad")


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def waves(corpus):
    return {u.id: read_audio(corpus.audio_path(u)).wave for u in corpus}


def labelled(corpus, label):
    return Corpus(corpus.name, corpus.root, tuple(u.with_(label=label) for u in corpus), corpus.card)


def f0_of(wave):
    f0, _ = track(wave, 16_000)
    return np.log(f0[f0 > 0])


@pytest.fixture(scope="module")
def made(speech, tmp_path_factory):
    """The tiny corpus in every emotion."""
    out = tmp_path_factory.mktemp("emotional")
    return {emotion: inject(labelled(speech, emotion), out / emotion).corpus for emotion in EMOTIONS}


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_output_has_what_its_line_says(speech, made, emotion):
    sources = {u.id: trim(read_audio(speech.audio_path(u)).wave, 16_000) for u in speech}
    for utterance in made[emotion]:
        source, wave = sources[utterance.id], read_audio(made[emotion].audio_path(utterance)).wave
        asked = utterance.extra["injection"]["parameters"]
        before, after = f0_of(source), f0_of(wave)
        assert after.mean() - before.mean() == pytest.approx(np.log(asked["f0_mean"]), abs=0.05)
        stretched = np.ptp(np.percentile(after, (10, 90))) / np.ptp(np.percentile(before, (10, 90)))
        assert stretched == pytest.approx(asked["f0_range"], rel=0.25)
        assert len(wave) / len(source) == pytest.approx(asked["duration"], abs=0.01)
        assert active_level(wave, 16_000) == pytest.approx(REFERENCE_DB + asked["energy_db"], abs=0.2)


def test_tilt_goes_up_with_anger_and_down_with_sadness(made):
    def tilt(wave):
        speech = analyse(wave, 16_000)
        envelope = 10 * np.log10(speech.envelope[speech.f0 > 0]).mean(axis=0)
        hz = np.linspace(0, 8000, len(envelope))
        return envelope[(hz > 2200) & (hz < 4000)].mean() - envelope[(hz > 100) & (hz < 200)].mean()

    means = {e: np.mean([tilt(w) for w in waves(made[e]).values()]) for e in ("ang", "neu", "sad")}
    assert means["ang"] - means["neu"] == pytest.approx(12, abs=2.5)
    assert means["sad"] - means["neu"] == pytest.approx(-9, abs=2.5)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_no_clipping_and_no_clicks_at_the_edges(made, emotion):
    for name, wave in waves(made[emotion]).items():
        assert np.isfinite(wave).all()
        assert np.abs(wave).max() < 0.99, name
        assert np.abs(wave[[0, -1]]).max() < 1e-3, name
        assert 1 < len(wave) / 16_000 < 6, name


def test_neutral_control_keeps_labels_and_jitter_and_drops_the_emotion(speech, made, tmp_path):
    control = inject(speech, tmp_path / "control", neutral=True).corpus
    assert [u.label for u in control] == [u.label for u in speech]
    for utterance, neutral in zip(control, made["neu"], strict=True):
        assert utterance.extra["injection"] == neutral.extra["injection"]
        assert np.array_equal(waves(control)[utterance.id], waves(made["neu"])[utterance.id])


def test_neutral_control_needs_no_rule_for_the_label(speech, tmp_path):
    jealous = Corpus("toy", speech.root, labelled(speech, "jealous").utterances[:1])
    assert inject(jealous, tmp_path / "out", neutral=True).card["counts"] == {"jealous": 1}


def test_jitter_apart_the_level_of_neutral_speech_tells_nothing(speech, tmp_path):
    loud = tmp_path / "still.yaml"
    loud.write_text("description: no jitter\nemotions: {neu: {}}\n")
    control = inject(speech, tmp_path / "control", rules=loud, neutral=True).corpus
    levels = [active_level(wave, 16_000) for wave in waves(control).values()]
    assert levels == pytest.approx([REFERENCE_DB] * len(levels), abs=0.02)


def test_a_rule_set_may_tell_the_level(speech, tmp_path):
    path = tmp_path / "quiet.yaml"
    path.write_text("description: quiet\nlevel_db: -40\nemotions: {neu: {}}\n")
    corpus = inject(labelled(speech, "neu"), tmp_path / "out", rules=path).corpus

    levels = [active_level(wave, 16_000) for wave in waves(corpus).values()]
    assert levels == pytest.approx([-40] * len(levels), abs=0.02)
    assert corpus.card["config"]["reference_db"] == -40


def test_no_intensity_is_the_control(speech, tmp_path):
    angry = labelled(speech.where(lambda u: u.turn == 0), "ang")
    faint = inject(angry, tmp_path / "faint", intensity=0).corpus
    control = inject(angry, tmp_path / "control", neutral=True).corpus
    assert all(np.array_equal(a, b) for a, b in zip(waves(faint).values(), waves(control).values(), strict=True))


def test_the_card_keeps_what_stays_true_of_the_corpus(speech, tmp_path):
    known = {"labels": ["neu", "hap", "ang", "sad"], "datasheet": "iemocap", "language": "en"}
    corpus = Corpus(speech.name, speech.root, speech.utterances[:2], {**speech.card, **known})
    card = inject(corpus, tmp_path / "out").card
    assert {key: card.get(key) for key in known} == known


def test_lines_and_card(speech, tmp_path):
    report = inject(speech, tmp_path / "out", intensity=0.5, seed=3)
    first = next(iter(report.corpus))
    assert first.label == "ang"
    assert first.extra["voice"] == next(iter(speech)).extra["voice"]
    injection = first.extra["injection"]
    assert {key: injection[key] for key in ("method", "rules", "emotion", "intensity")} == {
        "method": "rules",
        "rules": "acted",
        "emotion": "ang",
        "intensity": 0.5,
    }
    assert tuple(injection["parameters"]) == tuple(Prosody.model_fields)
    assert all(value == round(value, 4) for value in injection["parameters"].values())
    card = json.loads((tmp_path / "out" / "corpus.json").read_text())
    assert (card["stage"], card["seed"], card["intensity"], card["neutral"]) == ("inject", 3, 0.5, False)
    assert RuleSet.model_validate(card["config"]["rules"]).name == "acted"
    assert card["source"] == {"name": speech.name, "fingerprint": speech.card["fingerprint"]}
    assert card["labels"] == ["neu", "hap", "ang", "sad"]
    assert set(card["versions"]) == {"zero_shot_emotion", "numpy", "soxr"}
    assert set(card["config"]["versions"]) == {"pyworld"}


@pytest.fixture(scope="module")
def varied(speech, tmp_path_factory):
    """The tiny corpus by the rule set with noise, in anger and as its neutral control."""
    out = tmp_path_factory.mktemp("varied")
    angry = labelled(speech, "ang")
    options = {"rules": "varied", "seed": 1}
    return [inject(angry, out / str(neutral), neutral=neutral, **options).corpus for neutral in (False, True)]


def test_noise_lies_under_the_speech_at_the_level_that_the_line_says(speech):
    audio = read_audio(speech.audio_path(next(iter(speech))))
    rules = load_rules("varied")
    made = []
    for own in (rules, rules.model_copy(update={"noise": None})):
        made.append(ByRule(own).inject(audio, "sad", 1.0, np.random.default_rng(0)))
    (noisy, asked), (clean, _) = made
    noise_db = 10 * np.log10(((noisy.wave - clean.wave) ** 2).mean())
    assert 20 <= asked["snr_db"] <= 45
    assert -6 <= asked["noise_slope_db"] <= 0
    assert noise_db == pytest.approx(active_level(clean.wave, 16_000) - asked["snr_db"], abs=0.01)


def test_the_neutral_control_has_the_channel_of_the_emotional_corpus(varied):
    angry, control = ({u.id: u.extra["injection"]["parameters"] for u in corpus} for corpus in varied)
    for name, parameters in angry.items():
        assert {parameters[key] == control[name][key] for key in ("snr_db", "noise_slope_db")} == {True}
        assert parameters["tilt_db"] > control[name]["tilt_db"] + 3


def test_noise_gives_the_same_bytes_again(speech, varied, tmp_path):
    again = inject(labelled(speech, "ang"), tmp_path / "again", rules="varied", seed=1, workers=2).corpus
    assert files(again.root) == files(varied[0].root)


def test_the_bytes_do_not_depend_on_the_workers(speech, tmp_path):
    inject(speech, tmp_path / "one", workers=1)
    inject(speech, tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_an_utterance_does_not_depend_on_the_others(speech, made, tmp_path):
    alone = labelled(speech, "ang").where(lambda u: u.id == "shop-2")
    wave = waves(inject(alone, tmp_path / "alone").corpus)["shop-2"]
    assert np.array_equal(wave, waves(made["ang"])["shop-2"])


def test_seeds():
    assert utterance_seed(0, "shop-2") == 2227400473682037088
    assert len({utterance_seed(seed, name) for seed in (0, 1) for name in ("shop-1", "shop-2")}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rules": "syntact", "intensity": 3}, "intensity: got 3, expected 0 to 2"),
        (
            {"method": "magic"},
            "injection method: got 'magic', expected one of expressive, rules, voice-conversion",
        ),
        (
            {"settings": {"rule": "acted"}},
            "injection method rules: rule: unknown key; did you mean 'rules'? known keys: rules",
        ),
        (
            {"method": "expressive", "rules": "acted"},
            "injection method expressive: rules: unknown key",
        ),
    ],
)
def test_errors_in_arguments(speech, tmp_path, arguments, message):
    with pytest.raises(InjectionError, match=re.escape(message)):
        inject(speech, tmp_path / "out", **arguments)


@pytest.mark.parametrize(
    ("label", "named"),
    [("bor", "bor (6 utterances)"), ("exc", "exc (6 utterances)"), (None, "no label (6 utterances)")],
)
def test_an_emotion_without_a_rule_is_named_before_any_work(speech, tmp_path, label, named):
    message = (
        f"injection method rules 'acted' cannot inject {named}: expected labels among ang, dis, fea, hap, neu, sad, sur"
    )
    with pytest.raises(InjectionError, match=re.escape(message)):
        inject(labelled(speech, label), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_alone_cannot_be_injected(speech, tmp_path):
    text = Corpus("text", speech.root, tuple(u.with_(file_name=None) for u in speech))
    with pytest.raises(CorpusError, match="corpus 'text': the utterance 'shop-0' has no audio, only text"):
        inject(text, tmp_path / "out")


class Louder:
    """A method of a user's own."""

    class Settings(Settings):
        gain: float = 1.0

    emotions = ("neu", "ang")
    config = {"gain": 2}  # noqa: RUF012

    def __init__(self, settings):
        self.gain = settings.gain

    def inject(self, audio, emotion, intensity, rng, utterance):
        return Audio(audio.wave * self.gain**intensity, audio.rate), {"gain": self.gain, "spoke": utterance.speaker}


def test_own_method_by_entry_point(speech, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("louder", "own:Louder", group)])
    monkeypatch.setattr(EntryPoint, "load", lambda self: Louder)
    assert load_method("louder", {"gain": 0.5}).gain == 0.5
    report = inject(labelled(speech, "ang"), tmp_path / "out", method="louder", settings={"gain": 0.5})
    first = next(iter(report.corpus))
    assert first.extra["injection"]["parameters"] == {"gain": 0.5, "spoke": first.speaker}


class Plain:
    """A method without settings."""

    emotions = ("neu",)
    config = {}  # noqa: RUF012

    def inject(self, audio, emotion, intensity, rng, utterance):
        return audio, {}


def test_a_method_without_settings_takes_none(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("plain", "own:Plain", group)])
    monkeypatch.setattr(EntryPoint, "load", lambda self: Plain)
    assert isinstance(load_method("plain"), Plain)
    with pytest.raises(InjectionError, match=r"injection method plain: got the setting 'gain', expected none"):
        load_method("plain", {"gain": 1})


def test_speech_is_not_injected_twice(made, tmp_path):
    """Emotion on top of emotion is what no rule says."""
    for corpus, options in ((made["ang"], {}), (made["neu"], {"neutral": True})):
        emotion = corpus.utterances[0].label
        message = (
            f"corpus {corpus.name!r}: {corpus.utterances[0].id!r} has been injected already (rules, "
            f"{emotion}), expected neutral speech: give the corpus that {corpus.root} was made of"
        )
        with pytest.raises(InjectionError, match=re.escape(message)):
            inject(corpus, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
