import json

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import shemo

FACTS = {"speaker_id": "36", "gender": "male", "emotion": "sadness", "transcript": " سلام  دنیا ", "ipa": "x"}


def test_read(tree):
    files = {"male/M36S02.wav": "", "female/F03F02.wav": "", "shemo.json": json.dumps({"M36S02": FACTS})}
    corpus = shemo.read(tree(files))
    assert corpus.card == {"reader": "shemo", "language": "fa", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "female/F03F02.wav",
            "id": "F03F02",
            "label": "fea",
            "speaker": "F03",
            "gender": "female",
            "language": "fa",
        },
        {
            "file_name": "male/M36S02.wav",
            "id": "M36S02",
            "text": "سلام دنیا",
            "label": "sad",
            "speaker": "M36",
            "gender": "male",
            "language": "fa",
        },
    ]


def test_needs_no_transcripts(tree):
    assert [u.text for u in shemo.read(tree({"male/M36S02.wav": ""}))] == [None]


@pytest.mark.parametrize("content", ["{", "[]", '{"M36S02": {}}', '{"M36S02": 1}'])
def test_refuses_transcripts_of_another_form(tree, content):
    with pytest.raises(CorpusError, match=r"shemo\.json: got \w+: .*, expected a JSON object such as"):
        shemo.read(tree({"male/M36S02.wav": "", "shemo.json": content}))
