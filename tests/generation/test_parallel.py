import json
from collections import Counter, defaultdict
from itertools import product

import pytest

from generation.errors import GenerationError
from generation.parallel import generate_parallel, parallel_sentences
from zero_shot_emotion.corpus import LABEL_SETS, Corpus
from zero_shot_emotion.corpus.splits import split_dev

SEVEN = LABEL_SETS["seven"]
LANGUAGES = ("en", "fr", "de", "it", "cmn", "es")


def cells(corpus: Corpus) -> Counter:
    return Counter((u.language, u.label) for u in corpus)


def test_sentences_that_ship_are_parallel_and_different() -> None:
    sentences = parallel_sentences()
    assert {tuple(s.texts) for s in sentences} == {LANGUAGES}
    assert len({s.id for s in sentences}) == len(sentences)
    for tag in LANGUAGES:
        assert len({s.texts[tag] for s in sentences}) == len(sentences)
    assert set(Counter(s.label for s in sentences)) == set(SEVEN.classes)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_length_and_marks_do_not_tell_the_emotion(tag: str) -> None:
    lengths, questions = defaultdict(list), Counter()
    for sentence in parallel_sentences():
        text = sentence.texts[tag]
        lengths[sentence.label].append(len(text))
        questions[sentence.label] += text.endswith(("?", "？"))
        assert "!" not in text
    means = [sum(found) / len(found) for found in lengths.values()]
    assert max(means) / min(means) < 1.3
    assert set(questions.values()) <= {2, 3}


def test_every_sentence_once_in_every_language(tmp_path) -> None:
    corpus = generate_parallel(tmp_path, labels=SEVEN).corpus
    assert cells(corpus) == dict.fromkeys(product(LANGUAGES, SEVEN.classes), 14)
    by_sentence = defaultdict(set)
    for u in corpus:
        by_sentence[u.extra["parallel"]].add(u.language)
    assert set(map(frozenset, by_sentence.values())) == {frozenset(LANGUAGES)}
    assert corpus.card["language"] == list(LANGUAGES)


@pytest.mark.parametrize("each", [1, 5, 14, 31, 70])
def test_any_size_is_balanced_over_language_emotion_and_nearly_over_speaker_and_gender(tmp_path, each: int) -> None:
    corpus = generate_parallel(tmp_path, languages=["de", "cmn"], labels=SEVEN, utterances=each * 14).corpus
    assert cells(corpus) == dict.fromkeys(product(("de", "cmn"), SEVEN.classes), each)
    speakers = Counter((u.speaker, u.label) for u in corpus)
    assert max(speakers.values()) <= 2
    assert len({(u.speaker, u.gender, u.language) for u in corpus}) == len({u.speaker for u in corpus})
    genders = Counter(u.gender for u in corpus)
    assert abs(genders["female"] - genders["male"]) <= 14
    assert len({(u.text, u.speaker) for u in corpus}) == len(corpus)


def test_a_split_shares_neither_speaker_nor_sentence(tmp_path) -> None:
    corpus = generate_parallel(tmp_path / "a", labels=SEVEN, test_ratio=0.2).corpus
    parts = {name: corpus.where(lambda u, name=name: u.split == name) for name in ("train", "test")}
    train, dev, by = split_dev(corpus, 0.2, 0)
    assert by == "speaker and dialogue"
    for one, other in ((parts["train"], parts["test"]), (train, dev)):
        assert len(one) > len(other) > 0
        for column in ("speaker", "dialogue", "text"):
            assert not {getattr(u, column) for u in one} & {getattr(u, column) for u in other}
        assert len(set(cells(other).values())) == 1


def test_the_seed_fixes_which_sentences_are_taken(tmp_path) -> None:
    texts = [
        [u.text for u in generate_parallel(tmp_path / str(i), labels=SEVEN, utterances=84, seed=seed).corpus]
        for i, seed in enumerate((0, 0, 1))
    ]
    assert texts[0] == texts[1] != texts[2]


def test_other_label_sets_leave_sentences_out_and_count_them(tmp_path) -> None:
    corpus = generate_parallel(tmp_path, languages=["fr"], labels=LABEL_SETS["four"]).corpus
    assert set(corpus.counts()) == {"ang", "hap", "neu", "sad"}
    assert corpus.card["drops"] == {"emotion outside the label set": 42}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": ["fr", "pl"]}, "--parallel: got 'pl', expected languages among en, fr, de, it, cmn, es"),
        ({"utterances": 100}, "-n: got 100 utterances, expected a multiple of 42: so many for each of 6 languages"),
        ({"utterances": 0}, "-n: got 0 utterances, expected a multiple of 42"),
        ({"labels": LABEL_SETS["eight"]}, "--labels: no parallel sentences ship for the class 'con'"),
    ],
)
def test_refuses(tmp_path, options, message) -> None:
    with pytest.raises(GenerationError, match=message):
        generate_parallel(tmp_path, **{"labels": SEVEN, **options})


def test_a_corpus_of_one_language_has_no_table_of_languages(tmp_path) -> None:
    generate_parallel(tmp_path / "one", languages=["fr"], labels=SEVEN)
    generate_parallel(tmp_path / "two", languages=["fr", "de"], labels=SEVEN)
    assert "languages" not in json.loads((tmp_path / "one" / "corpus.json").read_text())
    assert json.loads((tmp_path / "two" / "corpus.json").read_text())["languages"] == {
        tag: dict.fromkeys(sorted(SEVEN.classes), 14) for tag in ("de", "fr")
    }
