import re

import pytest

from zero_shot_emotion.corpus import EMOTIONS, CorpusError
from zero_shot_emotion.corpus.readers import urdu


def test_read(tree):
    corpus = urdu.read(tree({"Sad/SF8_F2_S002.wav": "", "Angry/SM1_F10_A010.wav": ""}))
    assert corpus.card == {"reader": "urdu", "language": "ur", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "Angry/SM1_F10_A010.wav",
            "id": "SM1_F10_A010",
            "label": "ang",
            "speaker": "SM1",
            "gender": "male",
            "language": "ur",
        },
        {
            "file_name": "Sad/SF8_F2_S002.wav",
            "id": "SF8_F2_S002",
            "label": "sad",
            "speaker": "SF8",
            "gender": "female",
            "language": "ur",
        },
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SM1_F1_X01", "emotion: got 'X', expected one of A, H, N, S"),
        ("SX1_F1_A01", "name: got 'SX1_F1_A01', expected the like of 'SM1_F10_A010'"),
    ],
)
def test_refuses(tree, name, message):
    with pytest.raises(CorpusError, match=re.escape(f"Angry/{name}.wav: {message}")):
        urdu.read(tree({f"Angry/{name}.wav": ""}))


def test_labels_are_canonical():
    assert set(urdu.LABELS.values()) <= set(EMOTIONS)
