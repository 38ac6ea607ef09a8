import pytest

from zero_shot_emotion.corpus.readers import emovo


@pytest.mark.parametrize("above", ["", "EMOVO/"])
def test_read(tree, above):
    corpus = emovo.read(tree({f"{above}m1/tri-m1-n5.wav": "", f"{above}f2/gio-f2-b2.wav": ""}))
    assert corpus.card == {"reader": "emovo", "language": "it", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": f"{above}f2/gio-f2-b2.wav",
            "id": "gio-f2-b2",
            "text": "I vigili sono muniti di pistola.",
            "label": "hap",
            "speaker": "f2",
            "gender": "female",
            "language": "it",
            "age": 23,
        },
        {
            "file_name": f"{above}m1/tri-m1-n5.wav",
            "id": "tri-m1-n5",
            "text": "Uno quarantatré dieci mille cinquantasette venti.",
            "label": "sad",
            "speaker": "m1",
            "gender": "male",
            "language": "it",
            "age": 30,
        },
    ]


def test_a_whole_corpus_has_the_published_number_of_utterances(tree):
    names = [f"{s}/{e}-{s}-{t}.wav" for s in emovo.SPEAKERS for e in emovo.LABELS for t in emovo.SENTENCES]
    corpus = emovo.read(tree(dict.fromkeys(names, "")))
    assert len(corpus) == 588
    assert set(corpus.counts().values()) == {84}
