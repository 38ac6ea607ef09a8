from zero_shot_emotion.corpus.readers import urdu


def test_read(tree):
    corpus = urdu.read(tree({"Sad/SF8_F2_S002.wav": "", "Angry/SM1_F10_A010.wav": ""}))
    assert corpus.card == {"reader": "urdu", "language": "ur", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "Angry/SM1_F10_A010.wav",
            "id": "SM1_F10_A010",
            "label": "ang",
            "speaker": "SM1",
            "gender": "male",
            "language": "ur",
        },
        {
            "file_name": "Sad/SF8_F2_S002.wav",
            "id": "SF8_F2_S002",
            "label": "sad",
            "speaker": "SF8",
            "gender": "female",
            "language": "ur",
        },
    ]
