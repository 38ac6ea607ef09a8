import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import msp_improv

HEAD = "UTD-IMPROV-S01A-F01-S-FM01.avi; N; A:2.000000; V:3.500000; D:3.000000 ; N:4.200000;"
LABELS = f"""\
{HEAD}
W01; Sad; Sad,Frustrated; A:3.000000; V:2.000000; D:NaN; N:4.000000;
W01; Neutral; ; A:3.000000; V:2.000000; D:3.000000; N:4.000000;

UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:1.000000; V:1.500000; D:NaN ; N:4.000000;
W02; Angry; Angry; A:1.000000; V:2.000000; D:NaN; N:4.000000;

UTD-IMPROV-S20N-M06-P-MF11.avi; X; A:3.000000; V:3.000000; D:3.000000 ; N:4.000000;
UTD-IMPROV-S20N-M06-T-FM02.avi; H; A:3.000000; V:3.000000; D:3.000000 ; N:4.000000;
"""
WAVS = {
    "session1/S01A/S/MSP-IMPROV-S01A-F01-S-FM01.wav": "",
    "session2/S01A/R/MSP-IMPROV-S01A-F02-R-FF01.wav": "",
    "session6/S20N/P/MSP-IMPROV-S20N-M06-P-MF11.wav": "",
    "session6/S20N/P/MSP-IMPROV-S20N-M06-P-MF12.wav": "",  # has no label
}


@pytest.mark.parametrize("labels", ["Evalution.txt", "Evaluation.txt"])
@pytest.mark.parametrize("audio", ["", "Audio/"])
@pytest.mark.parametrize("texts", ["Human_transcriptions/All_human_transcriptions/session1", "Text"])
def test_read(tree, labels, audio, texts):
    root = tree(
        {
            labels: LABELS,
            f"{texts}/MSP-IMPROV-S01A-F01-S-FM01.txt": "How are\nyou?",
            **{audio + name: content for name, content in WAVS.items()},
        }
    )
    corpus = msp_improv.read(root)
    assert corpus.card["drops"] == {"no wav": 1, "no label": 1}
    assert corpus.utterances[0].model_dump(exclude_none=True) == {
        "file_name": f"{audio}session1/S01A/S/MSP-IMPROV-S01A-F01-S-FM01.wav",
        "id": "MSP-IMPROV-S01A-F01-S-FM01",
        "text": "How are you?",
        "label": "neu",
        "speaker": "M01",
        "gender": "male",
        "language": "en",
        "dialogue": "S01A-F01",
        "split": "Session1",
        "condition": "other-improvised",
        "sentence": "S01",
        "intended": "ang",
        "valence": 3.5,
        "activation": 4.0,  # 6 - 2: the release counts down
        "dominance": 3.0,
        "naturalness": 4.2,
    }
    assert [(u.label, u.speaker, u.dialogue, u.split, u.extra["condition"]) for u in corpus.utterances[1:]] == [
        ("ang", "F02", "S01A-F02-read", "Session2", "target-read"),
        ("xxx", "F06", "S20N-M06", "Session6", "natural"),
    ]
    assert [(u.extra["activation"], u.extra["dominance"]) for u in corpus.utterances[1:]] == [(5.0, None), (3.0, 3.0)]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("; N; ", "; Q; "), ":1: emotion: got 'Q', expected one of N, H, A, S, O, X"),
        (HEAD.replace(".avi;", ".avi,"), ":1: name: got 'UTD-IMPROV-S01A"),
        (HEAD.replace("A:2.0", "A:two"), ":1: A: got 'two00000', expected a number"),
    ],
)
def test_refuses(tree, head, message):
    with pytest.raises(CorpusError, match=re.escape("Evalution.txt" + message)):
        msp_improv.read(tree({"Evalution.txt": head, **WAVS}))


def test_refuses_an_unknown_condition(tree):
    names = {"Evalution.txt": HEAD.replace("-S-", "-Z-"), "session1/S01A/Z/MSP-IMPROV-S01A-F01-Z-FM01.wav": ""}
    with pytest.raises(CorpusError, match="condition: got 'Z', expected one of P, R, S, T"):
        msp_improv.read(tree(names))


def test_names_the_missing_part(tree, tmp_path):
    with pytest.raises(CorpusError, match=r"Evalution.txt or .*Evaluation.txt: no such file or folder"):
        msp_improv.read(tmp_path)
    with pytest.raises(CorpusError, match=r"\*\*/\*\.wav: no such files"):
        msp_improv.read(tree({"Evalution.txt": LABELS}))
