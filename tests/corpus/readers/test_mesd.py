import pytest

from zero_shot_emotion.corpus.readers import mesd


@pytest.mark.parametrize("above", ["", "Mexican Emotional Speech Database (MESD)/"])
def test_read(tree, above):
    corpus = mesd.read(tree({f"{above}Anger_F_A_tarde.wav": "", f"{above}Sadness_C_B_mal humor.wav": ""}))
    assert corpus.card == {"reader": "mesd", "language": "es-MX", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": f"{above}Anger_F_A_tarde.wav",
            "id": "Anger_F_A_tarde",
            "text": "tarde",
            "label": "ang",
            "gender": "female",
            "language": "es-MX",
            "age_group": "adult",
            "words": "A",
        },
        {
            "file_name": f"{above}Sadness_C_B_mal humor.wav",
            "id": "Sadness_C_B_mal_humor",
            "text": "mal humor",
            "label": "sad",
            "language": "es-MX",
            "age_group": "child",
            "words": "B",
        },
    ]
