import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import aesdd


def test_read(tree):
    files = ["anger/a03 (4).wav", "sadness/s05 (3).wav", "fear/f07 (1)b.wav", "fear/h07 (1).wav"]
    corpus = aesdd.read(tree(dict.fromkeys(files, "")))
    drops = {"corrupt": 1, "irregular name": 1, "name and folder differ": 1}
    assert corpus.card == {"reader": "aesdd", "language": "el", "drops": drops}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "anger/a03 (4).wav",
            "id": "a03_(4)",
            "label": "ang",
            "speaker": "4",
            "language": "el",
            "utterance": "03",
        }
    ]


def test_refuses(tree):
    message = "joy/j03 (4).wav: emotion: got 'joy', expected one of anger, disgust, fear, happiness, sadness"
    with pytest.raises(CorpusError, match=re.escape(message)):
        aesdd.read(tree({"joy/j03 (4).wav": ""}))


def test_says_why_nothing_is_left(tree):
    with pytest.raises(CorpusError, match=re.escape("no utterance found, all dropped (irregular name: 1)")):
        aesdd.read(tree({"anger/anger.wav": ""}))
