from pathlib import Path

import numpy as np

from zero_shot_emotion.audio import RATE, Audio, write_audio
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.summary import check_all_audio, summarise
from zero_shot_emotion.testing import tiny_corpus


def test_a_summary_counts_what_the_manifest_holds(tmp_path: Path) -> None:
    facts = summarise(tiny_corpus(tmp_path / "tiny", dialogues=3, turns=4))

    assert facts["utterances"] == "12, 12 with audio, 12 with text"
    assert facts["labels"] == "ang 3, hap 3, neu 3, sad 3"
    assert (facts["speakers"], facts["genders"]) == ("6", "female 6, male 6")
    assert facts["dialogues"] == "3"
    assert facts["splits"] == "not given"
    assert facts["words"] == "84, 7.0 an utterance"


def test_bad_audio_is_found_with_its_reason_and_the_rest_is_measured(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path / "tiny", dialogues=2, turns=4)
    paths = [corpus.audio_path(u) for u in corpus]
    fine = sum(path.stat().st_size - 44 for path in paths[3:]) / 2 / RATE
    paths[0].unlink()
    paths[1].write_bytes(b"no audio")
    write_audio(paths[2], Audio(np.zeros(RATE), RATE))

    problems, seconds = check_all_audio(corpus)

    assert {key: problem.reason for key, problem in problems.items()} == {
        "d00-00": "missing",
        "d00-01": "unreadable",
        "d00-02": "silent",
    }
    assert abs(seconds - fine) < 1e-6


def test_what_a_corpus_does_not_tell_is_not_counted_as_none() -> None:
    facts = summarise(Corpus("bare", Path(), (Utterance(id="a", label="sad"), Utterance(id="b", label="sad"))))

    assert facts["labels"] == "sad 2"
    assert {facts[key] for key in ("speakers", "genders", "dialogues", "languages", "splits")} == {"not given"}
