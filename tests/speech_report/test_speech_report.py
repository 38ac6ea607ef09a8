import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from zero_shot_emotion import cli
from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.corpus import FOUR, Corpus, Utterance
from zero_shot_emotion.speech_report import measuring, write_speech_report
from zero_shot_emotion.speech_report.features import ALL, CEPSTRUM, FEATURES, GROUPS, SETS, SOUND, SPEECH
from zero_shot_emotion.speech_report.measuring import SpeechReportError, measure_corpus
from zero_shot_emotion.speech_report.realness import EVERY
from zero_shot_emotion.speech_report.telling import tell
from zero_shot_emotion.testing import tiny_corpus

VOICES = 8


def voice_corpus(folder, tell_class: bool, seed: int = 0, extra: dict | None = None, tilt: float = 1.0) -> Corpus:
    """Voices with a pitch each, four utterances a voice, one of each class; anger is an octave higher if it may be."""
    rng = np.random.default_rng(seed)
    utterances = []
    for voice in range(VOICES):
        for label in FOUR.classes:
            seconds, f0 = rng.uniform(0.5, 1.0), (110 + 10 * voice) * rng.uniform(0.97, 1.03)
            f0 *= 2 if tell_class and label == "ang" else 1
            time = np.arange(int(16_000 * seconds)) / 16_000
            wave = sum(np.sin(2 * np.pi * k * f0 * time) / k**tilt for k in range(1, 12))
            wave = 0.05 * wave + 0.002 * rng.standard_normal(len(time))
            name = f"v{voice}-{label}"
            write_audio(folder / f"audio/{name}.wav", Audio(wave, 16_000))
            columns = {"voice": f"v{voice}", **(extra or {})}
            utterances.append(Utterance(id=name, file_name=f"audio/{name}.wav", label=label, **columns))
    corpus = Corpus(folder.name, folder, tuple(utterances), {"labels": list(FOUR.classes)})
    corpus.save(folder)
    return corpus


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A neutral corpus, an emotional one, a darker real one, and their report."""
    root = tmp_path_factory.mktemp("report")
    neutral = voice_corpus(root / "neutral", False)
    injected = {"injection": {"emotion": "ang"}}
    emotional = voice_corpus(root / "emotional", True, seed=1, extra=injected)
    real = voice_corpus(root / "stage", True, seed=2, tilt=2.0)
    text = write_speech_report([neutral, emotional], root / "speech.html", real=[real])
    return root, text, json.loads((root / "speech.json").read_text()), (root / "speech.html").read_text()


def test_neutral_speech_is_at_chance_and_emotion_is_told(made):
    _, text, numbers, _ = made
    neutral, emotional, _ = numbers["corpora"]

    assert [c["neutral"] for c in numbers["corpora"]] == [True, False, False]
    assert [c["real"] for c in numbers["corpora"]] == [False, False, True]
    assert not neutral["told"][ALL]["above_chance"]
    assert emotional["told"]["pitch"]["above_chance"]
    assert emotional["told"]["pitch"]["recall"]["ang"] == 1
    assert not emotional["told"]["level"]["above_chance"]
    assert "verdict" in text
    assert "chance 0.500, labels shuffled 0." in text or "chance 0.250, labels shuffled 0." in text
    assert "neutral speech is at chance, as it must be" in text


def test_distance_from_real_speech_is_where_it_was_put(made):
    _, _, numbers, _ = made
    beside = {pair["corpus"]: pair for pair in numbers["realness"]}["emotional"]

    assert beside["real"] == "stage"
    assert beside["shifts"][EVERY]["alpha_ratio_db"] > 2
    assert abs(beside["shifts"][EVERY]["f0_hz"]) < 0.5
    assert beside["auc"][SPEECH][EVERY] > 0.95
    assert beside["effects"]["ang"] > 0.8


def test_a_corpus_cannot_be_told_from_its_like(tmp_path):
    corpora = [voice_corpus(tmp_path / name, True, seed) for seed, name in enumerate(("a", "b"))]
    write_speech_report(corpora[:1], tmp_path / "r.html", real=corpora[1:])
    pair = json.loads((tmp_path / "r.json").read_text())["realness"][0]

    assert 0.2 < pair["auc"][SPEECH][EVERY] < 0.8
    assert all(abs(shift) < 1 for shift in pair["shifts"][EVERY].values() if shift is not None)


def test_figures_are_those_of_the_audio(made):
    _, _, numbers, _ = made
    spreads = numbers["corpora"][1]["spreads"]

    assert set(spreads) == set(FEATURES)
    assert spreads["f0_hz"]["ang"]["quantiles"][2] == pytest.approx(
        2 * spreads["f0_hz"]["neu"]["quantiles"][2], rel=0.1
    )
    assert spreads["seconds"]["sad"]["count"] == VOICES
    assert numbers["corpora"][1]["effects"]["ang"]["f0_hz"] > 2


class Page(HTMLParser):
    VOID = ("meta", "link", "br", "i")

    def __init__(self):
        super().__init__()
        self.open, self.links, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.links += [value for key, value in attributes if key in ("src", "href")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_whole_and_needs_nothing_else(made):
    _, _, numbers, html = made
    page = Page()
    page.feed(html)

    assert page.open == []
    assert all(link.startswith("#") or link == "speech.json" for link in page.links)
    assert not re.search(r"https?://|@import|url\(|<script", html)
    assert 'name="viewport"' in html
    words = " ".join(" ".join(page.words).split())
    for corpus in numbers["corpora"]:
        assert corpus["name"] in words
    for feature in FEATURES.values():
        assert feature.name in words
    assert "Neutral speech is at chance, as it must be." in words


def test_names_are_escaped(tmp_path):
    corpus = voice_corpus(tmp_path / "c", False)
    write_speech_report([Corpus("<b>&", corpus.root, corpus.utterances)], tmp_path / "r.html")

    assert "&lt;b&gt;&amp;" in (tmp_path / "r.html").read_text()
    assert "<b>&" not in (tmp_path / "r.html").read_text()


def test_each_file_is_measured_once_until_it_changes(tmp_path, monkeypatch):
    corpus = voice_corpus(tmp_path / "c", False)
    measured = []
    real = measuring.measure
    monkeypatch.setattr(measuring, "measure", lambda audio: measured.append(1) or real(audio))
    options = {"name": "c", "workers": 1}
    first = measure_corpus(corpus, FOUR, tmp_path / "kept", **options)
    again = measure_corpus(corpus, FOUR, tmp_path / "kept", **options)

    assert len(measured) == len(corpus)
    assert np.array_equal(first.matrix, again.matrix, equal_nan=True)
    write_audio(corpus.audio_path(corpus.utterances[0]), Audio(0.1 * np.sin(np.arange(9000)), 16_000))
    measure_corpus(corpus, FOUR, tmp_path / "kept", **options)
    assert len(measured) == 2 * len(corpus)


def test_the_numbers_do_not_depend_on_the_workers(tmp_path):
    corpus = voice_corpus(tmp_path / "c", True)
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
        write_speech_report([corpus], tmp_path / str(workers) / "r.html", workers=workers)

    assert (tmp_path / "1" / "r.json").read_bytes() == (tmp_path / "2" / "r.json").read_bytes()


def test_what_cannot_be_used_is_counted(tmp_path):
    corpus = voice_corpus(tmp_path / "c", False)
    corpus.audio_path(corpus.utterances[0]).write_bytes(b"no audio")
    others = (corpus.utterances[1].with_(label="fea"), corpus.utterances[2].with_(file_name=None))
    corpus = Corpus("c", corpus.root, (corpus.utterances[0], *others, *corpus.utterances[3:]))
    write_speech_report([corpus], tmp_path / "r.html")
    found = json.loads((tmp_path / "r.json").read_text())["corpora"][0]

    assert found["drops"] == {"label: fea": 1, "no audio": 1, "audio that cannot be used": 1}
    assert found["utterances"] == len(corpus) - 3


def test_errors(tmp_path):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1)
    with pytest.raises(SpeechReportError, match=re.escape("-o page.txt: expected the name of an .html file")):
        write_speech_report([corpus], "page.txt")
    text = Corpus("words", corpus.root, tuple(u.with_(file_name=None) for u in corpus))
    with pytest.raises(SpeechReportError, match=r"corpus 'words': holds no audio .* left out: no audio 4"):
        write_speech_report([text], tmp_path / "r.html")


def test_a_classifier_is_tested_on_voices_that_it_has_not_heard():
    """Where each voice has a class of its own, knowing the voice must not help."""
    rng = np.random.default_rng(0)
    voices = np.repeat(np.arange(40), 6)
    features = rng.standard_normal((40, 3))[voices] + 0.01 * rng.standard_normal((240, 3))
    told = tell(features, np.array(["ang", "sad"])[voices % 2], [str(v) for v in voices])

    assert not told.above_chance
    assert 0.2 < told.uar.value < 0.75


def test_shuffled_labels_are_rarely_above_chance():
    rng = np.random.default_rng(1)
    above = 0
    for seed in range(30):
        features, labels = rng.standard_normal((80, 4)), np.array(list("abcd") * 20)
        above += tell(features, labels, [str(k // 2) for k in range(80)], seed).above_chance
    assert above <= 3


def test_nothing_is_said_where_nothing_varies():
    labels = np.array(["a", "b"] * 10)
    assert tell(np.zeros((20, 0)), labels, [str(k) for k in range(20)]) is None
    assert tell(np.ones((20, 2)), labels, ["one"] * 20) is None


def test_sets_hold_every_measure():
    assert sorted(f for members in GROUPS.values() for f in members) == sorted(FEATURES)
    assert set(SETS[SOUND]) | set(GROUPS["timing"]) == set(SETS[ALL]) == set(FEATURES)
    assert CEPSTRUM in SETS


def test_the_command(tmp_path, capsys, monkeypatch):
    voice_corpus(tmp_path / "c", False)
    page = tmp_path / "page.html"
    monkeypatch.setattr("sys.argv", ["x", "corpus", "report-speech", str(tmp_path / "c"), "-o", str(page), "-j", "1"])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 0
    out = capsys.readouterr().out
    assert (
        f"\npage      {page}\nnumbers   {page.with_suffix('.json')}\nmeasures  {page.parent / 'measured'}, where" in out
    )
    assert page.exists()
