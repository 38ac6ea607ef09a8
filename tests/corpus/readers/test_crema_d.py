import pytest

from zero_shot_emotion.corpus import EMOTIONS, CorpusError
from zero_shot_emotion.corpus.readers import crema_d

ACTORS = 'ActorID,Age,Sex,Race,Ethnicity\n1001,51,"Male","Caucasian","Not Hispanic"\n'
VOTES = """\
"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"
"1","1001_IEO_NEU_XX","N","69.1","N","92.22","N","64.78"
"9","1001_IEO_ANG_MD","A:D","37.2:58.6","A","45.5","A","44.2"
"10","1002_TIE_HAP_XX",NA,NA,"A","45.5","A","44.2"
"""
WAVS = {
    f"AudioWAV/{stem}.wav": "RIFF"
    for stem in ("1001_IEO_NEU_XX", "1001_IEO_ANG_MD", "1002_TIE_HAP_XX", "1076_MTI_SAD_XX")
}


def test_read(tree):
    root = tree({**WAVS, "VideoDemographics.csv": ACTORS, "processedResults/summaryTable.csv": VOTES})
    corpus = crema_d.read(root)
    assert corpus.card == {
        "reader": "crema-d",
        "language": "en",
        "drops": {"no sound": 1},
        "label": "intended emotion",
    }
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "AudioWAV/1001_IEO_ANG_MD.wav",
            "id": "1001_IEO_ANG_MD",
            "text": "It's eleven o'clock",
            "label": "ang",
            "speaker": "1001",
            "gender": "male",
            "language": "en",
            "intensity": "medium",
            "voice_vote": "ang:dis",
            "age": 51,
            "race": "Caucasian",
            "ethnicity": "Not Hispanic",
        },
        {
            "file_name": "AudioWAV/1001_IEO_NEU_XX.wav",
            "id": "1001_IEO_NEU_XX",
            "text": "It's eleven o'clock",
            "label": "neu",
            "speaker": "1001",
            "gender": "male",
            "language": "en",
            "voice_vote": "neu",
            "age": 51,
            "race": "Caucasian",
            "ethnicity": "Not Hispanic",
        },
        {
            "file_name": "AudioWAV/1002_TIE_HAP_XX.wav",
            "id": "1002_TIE_HAP_XX",
            "text": "That is exactly what happened",
            "label": "hap",
            "speaker": "1002",
            "language": "en",
        },
    ]


def test_tables_may_be_absent(tree):
    corpus = crema_d.read(tree(WAVS))
    assert {(u.gender, u.extra["voice_vote"]) for u in corpus} == {(None, None)}


def test_refuses_a_vote_that_it_does_not_know(tree):
    root = tree({**WAVS, "processedResults/summaryTable.csv": VOTES.replace("A:D", "A:Q")})
    with pytest.raises(CorpusError, match=r"summaryTable.csv:3: VoiceVote: got 'Q', expected one of N, H, A, S, F, D"):
        crema_d.read(root)


def test_refuses_a_pointer(tree):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 80120\n"
    with pytest.raises(CorpusError, match="is a pointer of git's large file storage, expected audio"):
        crema_d.read(tree({"AudioWAV/1001_IEO_NEU_XX.wav": pointer}))


def test_names_the_missing_part(tmp_path):
    with pytest.raises(CorpusError, match=r"AudioWAV/\*\.wav: no such files"):
        crema_d.read(tmp_path)


def test_votes_are_canonical():
    assert set(crema_d.VOTES.values()) <= set(EMOTIONS)
