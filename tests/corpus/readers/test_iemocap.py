import re

import pytest

from zero_shot_emotion.corpus import FOUR, CorpusError
from zero_shot_emotion.corpus.readers import iemocap

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
RATERS = """\
C-E2:	Neutral;	()
C-F1:	Neutral;	(curious)
A-E3:	val 3; act 2; dom  2;	()
A-E4:	val 2; act 3; dom  3;	(mildly aggravated but staying polite, attitude)

"""
TURNS = [
    "[6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]",
    "[10.0100 - 11.3925]	Ses01F_impro01_F001	exc	[2.5000, 2.5000, 2.5000]",
    "[19.2900 - 20.7875]	Ses01F_impro01_F003	xxx	[2.5000, 3.0000, 3.0000]",
    "[14.8872 - 18.0175]	Ses01F_impro01_M002	fru	[2.5000, 3.5000, 3.5000]",
    "[21.0000 - 22.0000]	Ses01F_impro01_M003	ang	[2.5000, 3.5000, 3.5000]",
]
WORDS = """\
Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.
Ses01F_impro01_MXX0 [007.5712-010.4750]: Do you have your forms?
Ses01F_impro01_F001 [010.0100-011.3925]: [LAUGHTER] Y\xe9ah. [BREATHING]
Ses01F_impro01_F003 [019.2900-020.7875]: [LAUGHTER]
M: a note
"""
SESSION = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
SCRIPT = "[100.5 - 101.5]	Ses05M_script01_1b_F012	hap	[3.5000, 3.0000, 3.0000]"


@pytest.fixture
def release(tree):
    wavs = ["F000", "F001", "F003", "M002"]  # M003 has none
    return tree(
        {
            SESSION: HEADER + "\n".join(turn + "\n" + RATERS for turn in TURNS),
            "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt": "not for reading",
            "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": "not for reading",
            "Session1/dialog/transcriptions/Ses01F_impro01.txt": WORDS.encode("latin-1"),
            **{f"Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_{wav}.wav": "" for wav in wavs},
            "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt": f"{HEADER}{SCRIPT}\n{RATERS}",
            "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_F012.wav": "",
        }
    )


def test_read(release):
    corpus = iemocap.read(release)
    assert [(u.id, u.label, u.speaker, u.turn) for u in corpus] == [
        ("Ses01F_impro01_F000", "neu", "Ses01F", 0),
        ("Ses01F_impro01_F001", "exc", "Ses01F", 1),
        ("Ses01F_impro01_M002", "fru", "Ses01M", 2),
        ("Ses01F_impro01_F003", "xxx", "Ses01F", 3),
        ("Ses05M_script01_1b_F012", "hap", "Ses05F", 0),
    ]
    assert [u.text for u in corpus] == ["Excuse me.", "Yéah.", None, None, None]
    assert corpus.card == {
        "reader": "iemocap",
        "language": "en",
        "drops": {"no wav": 1, "transcribed turn without evaluation": 1},
    }
    assert corpus.utterances[2].model_dump() == {
        "file_name": "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M002.wav",
        "id": "Ses01F_impro01_M002",
        "text": None,
        "label": "fru",
        "speaker": "Ses01M",
        "gender": "male",
        "language": "en",
        "dialogue": "Ses01F_impro01",
        "turn": 2,
        "split": "Session1",
        "elicitation": "improvised",
        "start": 14.8872,
        "end": 18.0175,
        "valence": 2.5,
        "activation": 3.5,
        "dominance": 3.5,
    }
    assert corpus.utterances[4].extra["elicitation"] == "scripted"
    assert corpus.audio_path(corpus.utterances[0]).is_file()


def test_four_classes_count_excitement_as_happiness(release):
    corpus, dropped = iemocap.read(release).with_labels(FOUR)
    assert corpus.counts() == {"hap": 2, "neu": 1}
    assert dropped == {"fru": 1, "xxx": 1}


def test_root_may_be_the_parent(tree):
    turn = "[1.0 - 2.0]	Ses02F_impro02_M000	sad	[2.0, 2.0, 2.0]"
    root = tree(
        {
            "IEMOCAP_full_release/Session2/dialog/EmoEvaluation/Ses02F_impro02.txt": turn,
            "IEMOCAP_full_release/Session2/sentences/wav/Ses02F_impro02/Ses02F_impro02_M000.wav": "",
        }
    )
    corpus = iemocap.read(root)
    assert corpus.root == root / "IEMOCAP_full_release"
    assert corpus.audio_path(corpus.utterances[0]).is_file()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (TURNS[0].replace("neu", "hapy"), f"{SESSION}:3: emotion: got 'hapy', expected one of neu, hap, ang, sad, exc"),
        (TURNS[0].replace("01_F", "01_Q"), f"{SESSION}:3: name: got 'Ses01F_impro01_Q000', expected the like of"),
        (TURNS[0].replace(", 2.5000]", "]"), f"{SESSION}:3: name: got '[6.2901 - 8.2357]"),
        (TURNS[0].replace("[2.5000", "[high"), f"{SESSION}:3: valence: got 'high', expected a number"),
    ],
)
def test_refuses(release, line, message):
    (release / SESSION).write_text(HEADER + line)
    with pytest.raises(CorpusError, match=re.escape(message)):
        iemocap.read(release)


def test_names_the_missing_part(tmp_path, tree):
    with pytest.raises(CorpusError, match="Session1: no such folder"):
        iemocap.read(tmp_path)
    with pytest.raises(CorpusError, match="Session3/sentences/wav: no such file or folder"):
        iemocap.read(tree({"Session3/dialog/EmoEvaluation/Ses03F_impro01.txt": TURNS[0]}))
