import re
import sys

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import meld

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
TRAIN = (
    "1,also I was the point person on my company’s transition from the KL-5 to GR-6 system.,Chandler,neutral,neutral,"
    '0,0,8,21,"00:16:16,059","00:16:21,731"\n'
    '2,Hi!,Phoebe/Waitress,joy,positive,125,3,8,21,"00:16:16,059","00:16:21,731"\n'
)
DEV = '1,"Oh my God, he’s lost it.",The Interviewer,sadness,negative,0,0,4,7,"00:20:57,256","00:21:00,049"\n'
TEST = (
    '1,Why do all you’re coffee mugs have numbers on the bottom?,Mark,surprise,positive,0,0,3,19,"00:14:38,127",""\n'
    '2,Oh.,Rachel,anger,negative,0,1,3,19,"00:14:40,629","00:14:47,385"\n'
    '3,Ugh.,Rachel,disgust,negative,0,2,3,19,"00:14:40,629","00:14:47,385"\n'
)
TEXT = {
    "train_sent_emo.csv": HEADER + TRAIN,
    "dev_sent_emo.csv": HEADER + DEV,
    "test_sent_emo.csv": HEADER + TEST,
}
FFMPEG = f"""#!{sys.executable}
import sys
source, target = sys.argv[sys.argv.index("-i") + 1], sys.argv[-1]
if open(source).read() == "corrupt":
    sys.exit("moov atom not found")
open(target, "w").write("sound of " + source)
"""


@pytest.fixture
def ffmpeg(tmp_path_factory, monkeypatch):
    """A stand-in for ffmpeg, which takes its arguments as the real one does."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "ffmpeg").write_text(FFMPEG)
    (folder / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder / "ffmpeg"


def test_text_alone(tree):
    corpus = meld.read(tree(TEXT))
    assert [(u.id, u.label, u.speaker, u.dialogue, u.turn) for u in corpus] == [
        ("train_dia0_utt0", "neu", "Chandler", "train_dia0", 0),
        ("train_dia125_utt3", "hap", "Phoebe-Waitress", "train_dia125", 3),
        ("dev_dia0_utt0", "sad", "The_Interviewer", "dev_dia0", 0),
        ("test_dia0_utt0", "sur", "Mark", "test_dia0", 0),
        ("test_dia0_utt1", "ang", "Rachel", "test_dia0", 1),
        ("test_dia0_utt2", "dis", "Rachel", "test_dia0", 2),
    ]
    assert corpus.utterances[2].text == "Oh my God, he’s lost it."
    assert corpus.utterances[2].extra == {"sentiment": "negative", "season": 4, "episode": 7}
    assert {(u.file_name, u.gender) for u in corpus} == {(None, None)}
    assert corpus.card == {"reader": "meld", "language": "en", "drops": {}}


def test_text_in_the_layout_of_meld_raw_and_in_windows_letters(tree):
    raw = {f"MELD.Raw/{name}": content.encode("cp1252") for name, content in TEXT.items()}
    raw["MELD.Raw/train/train_sent_emo.csv"] = raw.pop("MELD.Raw/train_sent_emo.csv")
    corpus = meld.read(tree(raw))
    assert corpus.utterances[2].text == "Oh my God, he’s lost it."
    assert len(corpus) == 6


@pytest.mark.parametrize(
    ("train", "test"),
    [("train/train_splits", "test/output_repeated_splits_test"), ("train_splits", "output_repeated_splits_test")],
)
def test_clips(tree, ffmpeg, train, test, caplog):
    root = tree(
        {
            **TEXT,
            f"{train}/dia0_utt0.mp4": "film",
            f"{train}/dia125_utt3.mp4": "corrupt",
            f"{test}/dia0_utt0.mp4": "corrupt",
            f"{test}/dia0_utt1.mp4": "film",
            f"{test}/dia0_utt1.wav": "extracted by hand",
            f"{test}/final_videos_testdia0_utt2.mp4": "not in the table",
        }
    )
    corpus = meld.read(root)
    assert [(u.id, u.file_name) for u in corpus] == [
        ("train_dia0_utt0", ".wav16k/train/dia0_utt0.wav"),
        ("dev_dia0_utt0", None),  # a split without clips stays text
        ("test_dia0_utt1", f"{test}/dia0_utt1.wav"),
    ]
    assert corpus.card["drops"] == {"unusable clip": 1, "unreadable clip": 1, "no clip": 1}
    assert corpus.audio_path(corpus.utterances[0]).read_text() == f"sound of {root}/{train}/dia0_utt0.mp4"
    assert "dia0_utt0.mp4: ffmpeg cannot read it: moov atom not found" in caplog.text
    assert sorted(path.name for path in (root / ".wav16k").rglob("*") if path.is_file()) == ["dia0_utt0.wav"]


def test_clips_are_extracted_once(tree, ffmpeg):
    root = tree({**TEXT, "dev_splits_complete/dia0_utt0.mp4": "film"})
    first = meld.read(root)
    ffmpeg.unlink()
    assert meld.read(root) == first


def test_clips_without_ffmpeg(tree, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = (
        "1 clips are MP4 and ffmpeg is not on the PATH: install it to extract their audio, "
        "or give a folder that holds the three CSV files alone to read only the text"
    )
    with pytest.raises(CorpusError, match=re.escape(message)):
        meld.read(tree({**TEXT, "dev_splits_complete/dia0_utt0.mp4": "film"}))


def test_cache_that_cannot_be_written(tree, ffmpeg):
    root = tree({**TEXT, "dev_splits_complete/dia0_utt0.mp4": "film", ".wav16k": "a file, not a folder"})
    with pytest.raises(CorpusError, match=r"\.wav16k: cannot keep the extracted audio"):
        meld.read(root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sadness", "sorrow", "dev_sent_emo.csv:2: Emotion: got 'sorrow', expected one of neutral, joy, anger"),
        (",0,0,4,7", ",0,zero,4,7", "dev_sent_emo.csv:2: Utterance_ID: got 'zero', expected a whole number"),
        ("", "", None),
    ],
)
def test_refuses(tree, old, new, message):
    root = tree({**TEXT, "dev_sent_emo.csv": HEADER + DEV.replace(old, new)})
    if message is None:
        (root / "test_sent_emo.csv").unlink()
        message = "test_sent_emo.csv: no such file or folder"
    with pytest.raises(CorpusError, match=message):
        meld.read(root)


def test_real(real):
    corpus = meld.read(real("meld"))
    counts = {split: corpus.where(lambda u, split=split: u.split == split).counts() for split in meld.CLIPS}
    assert counts == {
        "train": {"ang": 1109, "dis": 271, "fea": 268, "hap": 1743, "neu": 4710, "sad": 683, "sur": 1205},
        "dev": {"ang": 153, "dis": 22, "fea": 40, "hap": 163, "neu": 470, "sad": 111, "sur": 150},
        "test": {"ang": 345, "dis": 68, "fea": 50, "hap": 402, "neu": 1256, "sad": 208, "sur": 281},
    }
