from pathlib import Path

import pytest

from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.distributions import distributions, draw_distributions

LINES = [("de", "sad"), ("de", "ang"), ("de", "ang"), ("fr", "ang"), (None, None)]


@pytest.fixture(name="corpus")
def _corpus() -> Corpus:
    lines = (Utterance(id=str(i), language=language, label=label) for i, (language, label) in enumerate(LINES))
    return Corpus("mine", Path(), tuple(lines))


def test_counts(corpus: Corpus) -> None:
    found = distributions(corpus)
    assert found.languages == ("de", "?", "fr")
    assert found.emotions == ("?", "ang", "sad")
    assert found.table == ((0, 2, 1), (1, 0, 0), (0, 1, 0))
    assert found.by_language == (3, 1, 1)
    assert found.by_emotion == (1, 3, 1)


def test_an_svg_says_every_number_and_is_the_same_each_time(corpus: Corpus, tmp_path: Path) -> None:
    first = draw_distributions(corpus, tmp_path / "new" / "a.svg").read_bytes()
    assert draw_distributions(corpus, tmp_path / "b.svg").read_bytes() == first
    for word in (">de<", ">fr<", ">ang<", ">sad<", ">3<", ">mine: 5 utterances<"):
        assert word in first.decode()


def test_a_png_is_one(corpus: Corpus, tmp_path: Path) -> None:
    assert draw_distributions(corpus, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_refuses_an_unknown_format_and_an_empty_corpus(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.txt: got the suffix '\.txt', expected one of svg, png, pdf"):
        draw_distributions(corpus, tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="corpus 'mine': is empty, expected utterances to count"):
        distributions(corpus.where(lambda u: False))
