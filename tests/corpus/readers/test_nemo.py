import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import nemo

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
ROW = (
    "EB0_anger_16.wav\tanger\tRacja, ten pomysł jest najlepszy.\tracja ten pomysł jest najlepszy\t"
    "        EB0\tfemale\t27\n"
)


def test_read(tree):
    root = tree({"data.tsv": HEADER + ROW + ROW.replace("16.wav", "17.wav"), "samples/EB0_anger_16.wav": ""})
    corpus = nemo.read(root)
    assert corpus.card == {"reader": "nemo", "language": "pl", "drops": {"no wav": 1}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "samples/EB0_anger_16.wav",
            "id": "EB0_anger_16",
            "text": "Racja, ten pomysł jest najlepszy.",
            "label": "ang",
            "speaker": "EB0",
            "gender": "female",
            "language": "pl",
            "age": 27,
        }
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\tanger", "\trage", "data.tsv:2: emotion: got 'rage', expected one of neutral, happiness, anger"),
        ("\tfemale", "\tw", "data.tsv:2: gender: got 'w', expected one of female"),
        ("\t27", "\t", "data.tsv:2: age: got '', expected a whole number"),
    ],
)
def test_refuses(tree, old, new, message):
    with pytest.raises(CorpusError, match=re.escape(message)):
        nemo.read(tree({"data.tsv": HEADER + ROW.replace(old, new), "samples/EB0_anger_16.wav": ""}))


@pytest.mark.parametrize(("there", "missing"), [("data.tsv", "samples"), ("samples/EB0_anger_16.wav", "data.tsv")])
def test_names_the_missing_part(tree, there, missing):
    with pytest.raises(CorpusError, match=f"/{missing}: no such file or folder"):
        nemo.read(tree({there: HEADER}))


def test_real(real):
    corpus = nemo.read(real("nemo"))
    assert corpus.counts() == {"ang": 72, "fea": 72, "hap": 72, "neu": 72, "sad": 72, "sur": 64}
    assert len({u.speaker for u in corpus}) == 9
    assert corpus.card["drops"] == {}
