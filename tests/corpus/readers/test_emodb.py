import pytest

from zero_shot_emotion.corpus import FOUR, CorpusError
from zero_shot_emotion.corpus.readers import emodb


def test_read(tree):
    corpus = emodb.read(tree({"wav/16b01Lb.wav": "", "wav/03a01Fa.wav": "", "wav/._03a01Fa.wav": ""}))
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "wav/03a01Fa.wav",
            "id": "03a01Fa",
            "text": "Der Lappen liegt auf dem Eisschrank.",
            "label": "hap",
            "speaker": "03",
            "gender": "male",
            "language": "de",
            "age": 31,
        },
        {
            "file_name": "wav/16b01Lb.wav",
            "id": "16b01Lb",
            "text": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
            "label": "bor",
            "speaker": "16",
            "gender": "female",
            "language": "de",
            "age": 31,
        },
    ]


def test_names_the_missing_part(tmp_path):
    with pytest.raises(CorpusError, match=r"wav/\*\.wav: no such files"):
        emodb.read(tmp_path)


def test_real(real):
    corpus = emodb.read(real("emodb"))
    four, dropped = corpus.with_labels(FOUR)
    assert len(corpus) == 535
    assert four.counts() == {"ang": 127, "hap": 71, "neu": 79, "sad": 62}
    assert dropped == {"bor": 81, "dis": 46, "fea": 69}
    assert {u.speaker for u in corpus} == set(emodb.SPEAKERS)
