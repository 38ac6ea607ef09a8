import re

import numpy as np
import pytest
import yaml

from injection import RulesError, RuleSet, load_rules
from injection.rules import FACTORS
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.corpus.labels import SEVEN

ACTED = {
    "ang": (1.45, 1.60, 0.95, 9, 12, -0.1),
    "hap": (1.50, 1.70, 0.92, 5, 6, 0),
    "neu": (1, 0.85, 1, 0, 0, 0),
    "sad": (1.05, 0.75, 1.25, -5, -9, 0.2),
}
KEYS = ("f0_mean", "f0_range", "duration", "energy_db", "tilt_db", "breathiness")
"""What acted and syntact set."""


def values(prosody):
    return tuple(getattr(prosody, key) for key in KEYS)


def still(rules):
    """The rule set without jitter."""
    return rules.model_copy(update={"jitter": RuleSet.model_fields["jitter"].default})


@pytest.mark.parametrize("level", [-61, -9])
def test_a_level_out_of_range_is_named(tmp_path, level):
    path = tmp_path / "mine.yaml"
    path.write_text(f"description: mine\nlevel_db: {level}\nemotions: {{neu: {{}}}}\n")

    with pytest.raises(RulesError, match=rf"mine.yaml: level_db: got {level}, expected"):
        load_rules(path)


def test_acted():
    rules = load_rules("acted")
    assert (rules.name, rules.spectrum, rules.intensity, rules.noise) == ("acted", 1, (1, 1), None)
    assert {emotion: values(rules.emotions[emotion]) for emotion in ACTED} == ACTED
    assert tuple(getattr(rules.jitter, key) for key in KEYS) == (0.06, 0.12, 0.08, 2, 2, 0.03)


def test_syntact_says_what_it_leaves_out():
    rules = load_rules("syntact")
    assert set(rules.emotions) == {"ang", "fea", "hap", "neu", "sad"}
    assert values(rules.emotions["hap"]) == (1.2, 1.3, 0.7, 0, 0, 0)
    assert all(rule.left_out for emotion, rule in rules.emotions.items() if emotion != "neu")
    assert (rules.emotions["sad"].jitter_percent, rules.emotions["fea"].pauses, rules.emotions["hap"].vowels) == (
        10,
        2,
        1.3,
    )


PAD = {
    "ang": (-0.51, 0.59, 0.25),
    "dis": (-0.60, 0.35, 0.11),
    "fea": (-0.64, 0.60, -0.43),
    "hap": (0.81, 0.51, 0.46),
    "neu": (0, 0, 0),
    "sad": (-0.63, -0.27, -0.33),
    "sur": (0.40, 0.67, -0.13),
}
"""Valence, arousal and dominance: Russell and Mehrabian 1977."""


def towards(low, high, value):
    """From 1 in the middle to a bound at either end."""
    return 1 + value * (high - 1 if value > 0 else 1 - low)


@pytest.mark.parametrize("emotion", PAD)
def test_schroeder_follows_its_formulae(emotion):
    rule, (v, a, _) = load_rules("schroeder").emotions[emotion], PAD[emotion]
    assert rule.f0_mean == pytest.approx(towards(0.5, 1.8, 0.75 * a + 0.25 * v), abs=6e-4)
    assert rule.duration == pytest.approx(1 / towards(0.5, 2.0, 0.66 * a + 0.33 * v), abs=6e-4)
    assert rule.energy_db == pytest.approx(a * (20 if a > 0 else 10), abs=0.06)


@pytest.mark.parametrize("emotion", PAD)
def test_emospeak_follows_its_formulae(emotion):
    rule, (e, a, p) = load_rules("emospeak").emotions[emotion], PAD[emotion]
    assert rule.f0_mean == pytest.approx(1 + 0.3 * a + 0.1 * e - 0.1 * p, abs=6e-4)
    assert rule.f0_range == pytest.approx((4 + 4 * a) / 4, abs=6e-4)
    assert rule.duration == pytest.approx(1 / (1 + 0.5 * a + 0.2 * e), abs=6e-4)
    assert rule.pauses == pytest.approx(1 - 0.2 * a, abs=6e-4)
    assert rule.vowels == pytest.approx(1 + 0.3 * e + 0.3 * p, abs=6e-4)


@pytest.mark.parametrize("name", ["acted", "contoured", "schroeder", "emospeak"])
def test_six_emotions_and_neutral(name):
    assert set(load_rules(name).emotions) == set(SEVEN.classes)


def test_contoured_is_acted_and_more():
    acted, contoured = load_rules("acted"), load_rules("contoured")
    assert (acted.spectrum, acted.tilt) == (contoured.spectrum, contoured.tilt)
    for emotion, rule in acted.emotions.items():
        given = {key: getattr(rule, key) for key in rule.model_fields_set - {"sources", "left_out"}}
        assert given.items() <= contoured.emotions[emotion].model_dump().items()


def test_emofilt_has_its_contours():
    emotions = load_rules("emofilt").emotions
    assert (emotions["hap"].focus_st_s, emotions["ang"].focus_st_s, emotions["fea"].final_st_s) == (70, -30, 30)
    assert 2 ** (emotions["ang"].focus_st / 12) == pytest.approx(1.3, abs=0.001)


def test_david_is_in_cents():
    emotions = load_rules("david").emotions
    cents = {name: 1200 * np.log2(rule.f0_mean) for name, rule in emotions.items()}
    assert cents == pytest.approx({"fea": 0, "hap": 50, "neu": 0, "sad": -70}, abs=0.1)
    assert (emotions["fea"].vibrato_st, emotions["hap"].onset_st) == (0.4, 1.4)


def test_the_rng_is_drawn_the_same_way_whatever_the_emotion():
    rules = load_rules("contoured")
    after = set()
    for emotion in rules.emotions:
        rng = np.random.default_rng(5)
        rules.prosody(emotion, 1, rng)
        after.add(rng.random())
    assert len(after) == 1


def test_varied_differs_from_acted_where_it_says():
    acted, varied = (load_rules(name).model_dump(exclude={"name", "description"}) for name in ("acted", "varied"))
    assert {key for key in acted if acted[key] != varied[key]} == {"tilt", "jitter", "intensity", "noise", "emotions"}
    for emotion, values_ in ACTED.items():
        assert values(load_rules("varied").emotions[emotion]) == values_


def test_by_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("description: mine\nemotions: {neu: {}, joy: {f0_mean: 1.2, sources: {f0_mean: guess}}}\n")
    rules = load_rules(path)
    assert rules.name == "mine"
    assert values(rules.emotions["joy"]) == (1.2, 1, 1, 0, 0, 0)


@pytest.mark.parametrize("emotion", ["ang", "hap", "sad"])
def test_intensity_leads_from_neutral_over_the_rule_and_beyond(emotion):
    rules, rng = still(load_rules("acted")), np.random.default_rng(0)
    neutral, rule = ACTED["neu"], ACTED[emotion]
    assert values(rules.prosody(emotion, 0, rng)) == pytest.approx(neutral)
    assert values(rules.prosody(emotion, 1, rng)) == pytest.approx(rule)
    for key, half, start, end in zip(KEYS, values(rules.prosody(emotion, 0.5, rng)), neutral, rule, strict=True):
        assert half == pytest.approx((start * end) ** 0.5 if key in FACTORS else (start + end) / 2)
    assert rules.prosody(emotion, 1.5, rng).f0_mean == pytest.approx(rule[0] ** 1.5)


def test_jitter_is_the_same_whatever_the_emotion():
    rules = load_rules("acted")
    angry, neutral = (rules.prosody(emotion, 1, np.random.default_rng(7)) for emotion in ("ang", "neu"))
    assert angry.f0_mean / neutral.f0_mean == pytest.approx(1.45)
    assert angry.energy_db - neutral.energy_db == pytest.approx(9)


def test_jitter_has_the_spread_that_is_asked_for():
    rules, rng = load_rules("acted"), np.random.default_rng(0)
    drawn = [rules.prosody("neu", 1, rng) for _ in range(4000)]
    assert np.std(np.log([p.f0_range for p in drawn])) == pytest.approx(0.12, rel=0.05)
    assert np.std([p.tilt_db for p in drawn]) == pytest.approx(2, rel=0.05)


def varied(**shared):
    """A rule set without jitter that shares something."""
    rules = {"neu": {}, "ang": {"f0_mean": 2.0, "energy_db": 10, "sources": {"f0_mean": "s", "energy_db": "s"}}}
    return RuleSet.model_validate({"name": "x", "description": "x", "emotions": rules, **shared})


def test_intensity_is_drawn_within_its_span():
    rules, rng = varied(intensity=[0.5, 1.3]), np.random.default_rng(0)
    drawn = [rules.prosody("ang", 1, rng) for _ in range(500)]
    energies = np.array([p.energy_db for p in drawn])
    assert 5 <= energies.min() < 5.2
    assert 12.8 < energies.max() <= 13
    assert np.log2([p.f0_mean for p in drawn]) == pytest.approx(energies / 10)
    assert rules.prosody("ang", 0, rng).energy_db == rules.prosody("neu", 1, rng).energy_db == 0


def test_a_drawn_intensity_leaves_the_jitter_alone():
    fixed, jitter = load_rules("acted"), {"energy_db": 2, "source": "s"}
    one, other = (varied(jitter=jitter, intensity=span) for span in ([1, 1], [0.5, 1.3]))
    neutral = [r.prosody("neu", 1, np.random.default_rng(3)).energy_db for r in (one, other, fixed)]
    assert neutral[0] == neutral[1] == neutral[2]


GOOD = {"description": "x", "emotions": {"neu": {}, "ang": {"f0_mean": 1.2, "sources": {"f0_mean": "s"}}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f0_mean": -1}, "emotions.ang.f0_mean: got -1, expected at least 0.25"),
        ({"energy_db": "loud"}, "emotions.ang.energy_db: got 'loud', expected a number"),
        ({"f0_men": 1.2}, "emotions.ang.f0_men: unknown key; did you mean 'f0_mean'? known keys: "),
        ({"breathiness": 2}, "emotions.ang.breathiness: got 2, expected at most 1"),
        ({"tilt_db": 3}, "emotions.ang.sources: got {'f0_mean': 's'}, expected a source for tilt_db"),
        (
            {"sources": {"f0_mean": "s", "pitch": "s"}},
            "emotions.ang.sources: got {'f0_mean': 's', 'pitch': 's'}, "
            "expected no source for pitch, which is no value of a rule",
        ),
    ],
)
def test_errors_in_a_rule(tmp_path, change, message):
    data = {**GOOD, "emotions": {"neu": {}, "ang": {**GOOD["emotions"]["ang"], **change}}}
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(RulesError, match=re.escape(f"{path}: {message}")):
        load_rules(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "expected a mapping, got list"),
        ("a: [", "expected YAML: while parsing"),
        ("emotions: {neu: {}}", "description: missing"),
        (
            "{description: x, emotions: {}}",
            "emotions: got {}, expected a rule for 'neu', which intensity",
        ),
        (
            "{description: x, emotions: {neu: {}}, tilt: {from_hz: 900, to_hz: 200}}",
            "tilt.to_hz: got 200, expected more than from_hz, 900",
        ),
        (
            "{description: x, emotions: {neu: {}}, jitter: {f0_mean: -1}}",
            "jitter.f0_mean: got -1, expected at least 0",
        ),
        (
            "{description: x, emotions: {neu: {}}, intensity: [1.3, 0.5]}",
            "intensity: got [1.3, 0.5], expected the lower number first",
        ),
        (
            "{description: x, emotions: {neu: {}}, intensity: [0.5, 3]}",
            "intensity.1: got 3, expected at most 2",
        ),
        (
            "{description: x, emotions: {neu: {}}, noise: {slope_db: [-6, 0]}}",
            "noise.snr_db: missing",
        ),
        (
            "{description: x, emotions: {neu: {}}, spectrum: 2}",
            "spectrum: got 2, expected at most 1",
        ),
    ],
)
def test_errors_in_a_file(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RulesError, match=re.escape(f"{path}: {message}")):
        load_rules(path)


def test_unknown_rule_set():
    with pytest.raises(
        MissingConfigError,
        match=r"^injection: got 'actd', expected the path of a \.yaml file or one of acted, contoured, david, emofilt",
    ):
        load_rules("actd")
