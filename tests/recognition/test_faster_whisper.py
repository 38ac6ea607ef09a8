import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from generation.weak_labels.settings import Transcripts
from generation.weak_labels.steps import Steps
from generation.weak_labels.transcripts import transcribe
from tests.generation.weak_labels import tiny_models
from zero_shot_emotion.audio import RATE, Audio
from zero_shot_emotion.recognition import Recogniser, RecognitionError, describe, load_recogniser
from zero_shot_emotion.testing import tiny_corpus

pytest.importorskip("faster_whisper", reason="an optional package: zero-shot-emotion[faster-whisper]")


@pytest.fixture(scope="module", name="model")
def _model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.converted_whisper(tmp_path_factory.mktemp("ctranslate2"))


def engine(model: Path, **settings) -> Recogniser:
    return load_recogniser("faster-whisper", json.dumps({"model": str(model), "device": "cpu", **settings}))


def tone(hertz: float, seconds: float = 1.0) -> Audio:
    return Audio((0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32), RATE)


def oracle(model: Path, audio: Audio, **options) -> str:
    """What faster-whisper itself writes, without the gaps between its segments."""
    from faster_whisper import WhisperModel

    segments, _ = WhisperModel(str(model), device="cpu").transcribe(
        audio.wave, temperature=0.0, condition_on_previous_text=False, **options
    )
    return "".join(segment.text for segment in segments).replace(" ", "")


@pytest.mark.parametrize("beam_size", [1, 3])
def test_what_is_heard_is_what_the_model_writes(model, beam_size):
    audios = [tone(130), tone(260, seconds=1.5)]
    heard = engine(model, beam_size=beam_size).transcribe(audios)
    assert [text.replace(" ", "") for text in heard] == [oracle(model, a, beam_size=beam_size) for a in audios]
    assert all(text and text == text.strip() for text in heard)


def test_an_utterance_is_heard_alike_whatever_came_before(model):
    one, other = tone(130), tone(260)
    first, second, last = engine(model, beam_size=1).transcribe([one, other, one])
    assert first == last != second
    assert engine(model, beam_size=1).transcribe([other]) == [second]


def test_a_corpus_is_written_down(tmp_path, model):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1, turns=2)
    told = Transcripts(engine="faster-whisper", settings={"model": str(model), "device": "cpu", "beam_size": 1})
    made, drops, _ = transcribe(corpus, told, Steps(tmp_path / "out", None, skip_errors=False))
    assert drops == {}
    for utterance, before in zip(made, corpus, strict=True):
        assert utterance.extra["transcript_source"] == "faster-whisper"
        assert utterance.text
        assert utterance.text != before.text


def test_the_card_says_what_it_ran_on():
    assert set(describe("faster-whisper", {})["versions"]) == {"faster-whisper", "ctranslate2"}


def test_a_model_in_another_format_is_refused(model):
    lacking = r"model: .*transformers lacks model.bin, expected what ct2-transformers-converter --copy_files tokenizer"
    with pytest.raises(RecognitionError, match=lacking):
        engine(model.parent / "transformers")


def test_a_model_without_its_tokenizer_is_refused(tmp_path, model):
    shutil.copytree(model, tmp_path / "bare")
    (tmp_path / "bare/tokenizer.json").unlink()
    with pytest.raises(RecognitionError, match=r"bare lacks tokenizer.json, expected what ct2-transformers-converter"):
        engine(tmp_path / "bare")


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(
        RecognitionError, match="model: got 'enormous', expected a Whisper model in CTranslate2's format"
    ):
        engine(Path("enormous"))
