import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import ravdess

WAVS = {
    "Actor_12/03-01-06-02-02-01-12.wav": "",
    "Actor_01/03-01-02-01-01-02-01.wav": "",
    "Actor_01/03-02-02-01-01-02-01.wav": "",  # song
}


@pytest.mark.parametrize("folder", ["", "Audio_Speech_Actors_01-24/"])
def test_read(tree, folder):
    corpus = ravdess.read(tree({folder + name: content for name, content in WAVS.items()}))
    assert corpus.card["drops"] == {"song": 1}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": f"{folder}Actor_01/03-01-02-01-01-02-01.wav",
            "id": "03-01-02-01-01-02-01",
            "text": "Kids are talking by the door",
            "label": "cal",
            "speaker": "01",
            "gender": "male",
            "language": "en",
            "intensity": "normal",
            "repetition": 2,
        },
        {
            "file_name": f"{folder}Actor_12/03-01-06-02-02-01-12.wav",
            "id": "03-01-06-02-02-01-12",
            "text": "Dogs are sitting by the door",
            "label": "fea",
            "speaker": "12",
            "gender": "female",
            "language": "en",
            "intensity": "strong",
            "repetition": 1,
        },
    ]


def test_names_the_missing_part(tmp_path):
    with pytest.raises(CorpusError, match="Actor_01: no such folder"):
        ravdess.read(tmp_path)
