import re

import numpy as np
import pytest

from injection import InjectionError, inject, load_method
from injection.loudness import REFERENCE_DB
from injection.voice_conversion import OWN
from tests.injection.tiny_freevc import write_tiny_freevc
from zero_shot_emotion.acoustics import active_level
from zero_shot_emotion.audio import Audio, read_audio, write_audio
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.stage import StageError

RATE = 16_000


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    home = tmp_path_factory.mktemp("freevc")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTS_HOME", str(home))
        yield write_tiny_freevc(home)


def tone(f0):
    time = np.arange(RATE) / RATE
    return Audio(0.1 * sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 10)), RATE)


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    """Two women and a man in anger and sadness; the man and one woman have both."""
    root = tmp_path_factory.mktemp("references")
    lines = []
    for speaker, gender, f0, labels in (
        ("ann", "female", 210, ("ang", "sad")),
        ("bea", "female", 190, ("ang",)),
        ("carl", "male", 110, ("ang", "sad")),
    ):
        for label in labels:
            for take in (1, 2):
                name = f"{speaker}-{label}-{take}"
                write_audio(root / f"{name}.wav", tone(f0 + 5 * take))
                lines.append(Utterance(id=name, file_name=f"{name}.wav", label=label, speaker=speaker, gender=gender))
    Corpus("references", root, tuple(lines)).save(root)
    return root


@pytest.fixture(scope="module")
def settings(checkpoint, references):
    return {"references": str(references), "model_path": str(checkpoint), "device": "cpu"}


def small(speech, *labels):
    """The first utterances of the corpus, with these labels."""
    chosen = (u.with_(label=label) for u, label in zip(speech, labels, strict=False))
    return Corpus("toy", speech.root, tuple(chosen))


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_through_coquis_public_api(speech, settings, tmp_path):
    corpus = small(speech, "ang", "sad", "neu")
    report = inject(corpus, tmp_path / "out", method="voice-conversion", settings=settings)
    made = list(report.corpus)
    injections = [u.extra["injection"] for u in made]
    assert [i["emotion"] for i in injections] == ["ang", "sad", "neu"]
    assert [i["method"] for i in injections] == ["voice-conversion"] * 3
    assert [re.match(r"\w+-(\w+)-\d$", i["parameters"]["reference"])[1] for i in injections[:2]] == ["ang", "sad"]
    assert injections[2]["parameters"] == {"reference": OWN}
    for utterance, source in zip(made, corpus, strict=True):
        audio = read_audio(report.corpus.audio_path(utterance), rate=None)
        assert audio.rate == 24_000
        assert audio.seconds <= read_audio(speech.audio_path(source)).seconds + 0.1
        assert active_level(audio.wave, audio.rate) == pytest.approx(REFERENCE_DB, abs=0.3)
    config = report.card["config"]
    assert config["reference_files"]["number"] == 10
    assert set(config["versions"]) == {"coqui-tts", "torch"}


def test_the_same_bytes_again_and_others_with_another_seed(speech, settings, tmp_path):
    corpus = small(speech, "ang")
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        inject(corpus, tmp_path / name, method="voice-conversion", settings=settings, seed=seed)
    assert files(tmp_path / "one") == files(tmp_path / "again")
    assert files(tmp_path / "one" / "audio") != files(tmp_path / "other" / "audio")


def test_the_neutral_control_has_no_reference_of_an_emotion(speech, settings, tmp_path):
    out = inject(
        small(speech, "ang"), tmp_path / "out", method="voice-conversion", settings=settings, neutral=True
    ).corpus
    assert next(iter(out)).extra["injection"]["parameters"] == {"reference": OWN}


@pytest.mark.parametrize(("gender", "partner"), [("female", "ann"), ("male", "carl")])
def test_a_reference_fits_the_gender_and_has_all_emotions(references, gender, partner):
    method = load_method("voice-conversion", {"references": str(references)})
    for speaker in ("x", "y", "z"):
        own = Utterance(id=f"{speaker}1", speaker=speaker, gender=gender)
        chosen = {method.choose(own, label, drawn).id for label in ("ang", "sad") for drawn in (0, 0.4, 0.6, 0.999)}
        assert chosen == {f"{partner}-{label}-{take}" for label in ("ang", "sad") for take in (1, 2)}


def test_a_speaker_of_unknown_gender_keeps_one_partner(references):
    method = load_method("voice-conversion", {"references": str(references)})
    partners = {}
    for speaker in "abcdefgh":
        own = Utterance(id=f"{speaker}1", speaker=speaker)
        partners[speaker] = {
            method.choose(own, label, drawn).speaker for label in ("ang", "sad") for drawn in (0.1, 0.9)
        }
    assert all(len(found) == 1 for found in partners.values())
    assert set.union(*partners.values()) == {"ann", "carl"}


def test_who_lacks_an_emotion_is_heard_in_none_even_where_no_other_has_the_gender(tmp_path):
    """bea is the only woman and has anger alone; a recording without a label takes nobody's emotions away."""
    lines = [("bea", "female", "ang"), ("carl", "male", "ang"), ("carl", "male", "sad"), ("dan", "male", None)]
    made = [
        Utterance(id=f"{s}-{label}", file_name=f"{s}-{label}.wav", label=label, speaker=s, gender=gender)
        for s, gender, label in lines
    ]
    for utterance in made:
        write_audio(tmp_path / utterance.file_name, tone(110))
    Corpus("references", tmp_path, tuple(made)).save(tmp_path)
    method = load_method("voice-conversion", {"references": str(tmp_path)})
    own = Utterance(id="x", speaker="x", gender="female")
    assert [method.choose(own, label, 0.5).id for label in ("ang", "sad")] == ["carl-ang", "carl-sad"]


def test_references_in_folders_named_as_labels(tmp_path):
    write_audio(tmp_path / "anger" / "one.wav", tone(100))
    method = load_method("voice-conversion", {"references": str(tmp_path)})
    assert method.emotions == ["ang", "neu"]
    assert method.choose(Utterance(id="x"), "ang", 0.5).label == "ang"
    assert method.choose(Utterance(id="x"), "neu", 0.5) is None


def test_errors(speech, settings, tmp_path):
    def run(labels=("ang",), change=None, **options):
        return inject(
            small(speech, *labels),
            tmp_path / "out",
            method="voice-conversion",
            settings={**settings, **(change or {})},
            **options,
        )

    with pytest.raises(
        InjectionError,
        match=r"voice-conversion cannot inject hap \(1 utterances\): expected labels among ang, neu, sad",
    ):
        run(("hap",))
    with pytest.raises(InjectionError, match=r"injection method voice-conversion: references: missing \(settings: ref"):
        inject(small(speech, "ang"), tmp_path / "out", method="voice-conversion")
    with pytest.raises(CorpusError, match="nowhere"):
        run(change={"references": str(tmp_path / "nowhere")})
    refused = r"voice-conversion: model_path: got '.*no\.pth', expected a file or folder that exists \(settings: "
    with pytest.raises(InjectionError, match=refused):
        run(change={"model_path": str(tmp_path / "no.pth")})
    with pytest.raises(
        InjectionError, match=r"intensity: got 0.5, expected 1, or 0 for neutral: voice-conversion knows"
    ):
        run(intensity=0.5)
    (tmp_path / "broken.pth").write_bytes(b"no checkpoint")
    with pytest.raises(StageError, match=r"the model .*broken\.pth cannot be loaded: "):
        run(change={"model_path": str(tmp_path / "broken.pth"), "config_path": str(settings["model_path"])})
