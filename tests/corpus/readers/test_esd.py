import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import esd

MANDARIN = "0001_000351\t打远一看，它们的确很是美丽，\t生气\n"
ENGLISH = "0011_000001\tThe nine the eggs, I keep.\tNeutral\n0011_000002 Let the glass globe be. Neutral\n"


@pytest.mark.parametrize(
    ("level", "split"),
    [("", None), ("train/", "train"), ("evaluation/", "evaluation"), ("test/", "test")],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb2312"])
def test_read(tree, level, split, encoding):
    root = tree(
        {
            f"0001/Angry/{level}0001_000351.wav": "",
            "0001/0001.txt": MANDARIN.encode(encoding),
            f"0011/Neutral/{level}0011_000001.wav": "",
            f"0011/Neutral/{level}0011_000002.wav": "",
            "0011/0011.txt": ENGLISH,
            "ReadMe.txt": "",
        }
    )
    corpus = esd.read(root)
    assert corpus.card == {"reader": "esd", "language": ["cmn", "en"], "drops": {}}
    assert corpus.utterances[0].model_dump() == {
        "file_name": f"0001/Angry/{level}0001_000351.wav",
        "id": "0001_000351",
        "text": "打远一看，它们的确很是美丽，",
        "label": "ang",
        "speaker": "0001",
        "gender": "female",
        "language": "cmn",
        "dialogue": None,
        "turn": None,
        "split": split,
    }
    assert [(u.label, u.text, u.gender, u.language) for u in corpus.utterances[1:]] == [
        ("neu", "The nine the eggs, I keep.", "male", "en"),
        ("neu", None, "male", "en"),  # its line of the transcript lacks the tabs
    ]


def test_refuses(tree):
    message = "0001/Bored/0001_000351.wav: emotion: got 'Bored', expected one of Neutral, Happy, Angry, Sad, Surprise"
    with pytest.raises(CorpusError, match=re.escape(message)):
        esd.read(tree({"0001/Bored/0001_000351.wav": ""}))


def test_names_the_missing_part(tmp_path):
    with pytest.raises(CorpusError, match="0001: no such folder"):
        esd.read(tmp_path)
