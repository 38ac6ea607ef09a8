import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import msp_podcast

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
ROW = "MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1\n"
LABELS = "Labels/labels_consensus.csv"


def rows(*classes, split="Train"):
    return "".join(
        f"MSP-PODCAST_0002_{i:04d}.wav,{c},3.777778,3.555556,3.777778,Unknown,Unknown,{split}\n"
        for i, c in enumerate(classes)
    )


def test_read(tree):
    root = tree(
        {
            LABELS: HEADER + ROW + "MSP-PODCAST_0001_0009.wav,N,3.777778,3.555556,3.777778,39,Male,Test1\n",
            "Audios/MSP-PODCAST_0001_0008.wav": "",
            "Transcripts/MSP-PODCAST_0001_0008.txt": "well \n you know\n",
        }
    )
    corpus = msp_podcast.read(root)
    assert corpus.card["drops"] == {"no wav": 1}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "Audios/MSP-PODCAST_0001_0008.wav",
            "id": "MSP-PODCAST_0001_0008",
            "text": "well you know",
            "label": "neu",
            "speaker": "30",
            "gender": "male",
            "language": "en",
            "dialogue": "MSP-PODCAST_0001",
            "split": "Test1",
            "valence": 4.0,
            "activation": 2.2,
            "dominance": 2.6,
        }
    ]


@pytest.mark.parametrize("audio", ["Audios", "Audio", "Audios/Audios"])
@pytest.mark.parametrize("labels", [LABELS, "Labels/labels_concensus.csv"])
@pytest.mark.parametrize("split", ["Development", "Validation"])
def test_variants_of_layout(tree, audio, labels, split):
    classes = "NHASFDUCOX"
    root = tree(
        {
            labels: HEADER + rows(*classes, split=split),
            **{f"{audio}/MSP-PODCAST_0002_{i:04d}.wav": "" for i in range(10)},
        }
    )
    corpus = msp_podcast.read(root)
    assert [u.label for u in corpus] == ["neu", "hap", "ang", "sad", "fea", "dis", "sur", "con", "oth", "xxx"]
    assert {(u.split, u.speaker, u.gender, u.dialogue) for u in corpus} == {
        ("Development", None, None, "MSP-PODCAST_0002")
    }
    assert all(corpus.audio_path(u).is_file() for u in corpus)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW.replace(",N,", ",Q,"), ":2: EmoClass: got 'Q', expected one of N, H, A, S, F, D, U, C, O, X"),
        (ROW.replace("Test1", "Test9"), ":2: Split_Set: got 'Test9', expected one of Train, Development, Validation"),
        (ROW.replace("Male", "Man"), ":2: Gender: got 'Man', expected one of female"),
        (ROW.replace("2.2", "low"), ":2: EmoAct: got 'low', expected a number"),
        (ROW.replace("8.wav", "7.wav"), "no utterance found, all dropped (no wav: 1)"),
    ],
)
def test_refuses(tree, row, message):
    with pytest.raises(CorpusError, match=re.escape(message)):
        msp_podcast.read(tree({LABELS: HEADER + row, "Audios/MSP-PODCAST_0001_0008.wav": ""}))


def test_names_the_missing_part(tree, tmp_path):
    with pytest.raises(CorpusError, match=r"labels_consensus.csv or .*labels_concensus.csv: no such file"):
        msp_podcast.read(tmp_path)
    with pytest.raises(CorpusError, match=r"Audios or .*Audio: no such file or folder"):
        msp_podcast.read(tree({LABELS: HEADER + ROW}))
