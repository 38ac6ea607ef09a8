import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import cafe


def test_read(tree):
    # the second folder's accent was spoilt by unpacking
    files = {"CaFE_48k/Neutre/12-N-1-5.wav": "", "CaFE_48k/Col#U00e8re/Fort/01-C-2-1.wav": "", "Readme.txt": ""}
    corpus = cafe.read(tree(files))
    assert corpus.card == {"reader": "cafe", "language": "fr-CA", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "CaFE_48k/Col#U00e8re/Fort/01-C-2-1.wav",
            "id": "01-C-2-1",
            "text": "Un cheval fou dans mon jardin",
            "label": "ang",
            "speaker": "01",
            "gender": "male",
            "language": "fr-CA",
            "age": 46,
            "intensity": "high",
        },
        {
            "file_name": "CaFE_48k/Neutre/12-N-1-5.wav",
            "id": "12-N-1-5",
            "text": "Cinq pumas fiers et passionnés",
            "label": "neu",
            "speaker": "12",
            "gender": "female",
            "language": "fr-CA",
            "age": 37,
        },
    ]


def test_two_sampling_rates_at_once_are_refused(tree):
    files = {f"CaFE_{rate}k/Neutre/12-N-1-5.wav": "" for rate in (48, 192)}
    with pytest.raises(CorpusError, match="the id '12-N-1-5' occurs twice"):
        cafe.read(tree(files))
