import itertools
from pathlib import Path

import pytest

from generation.errors import GenerationError
from generation.parallel import parallel_sentences
from generation.similarity import MIN_CHRF, by_encoder, chrf

SHIPPED = [sentence.texts["en"] for sentence in parallel_sentences()]


def test_chrf_is_that_of_nltk_for_a_text_without_blanks() -> None:
    from nltk.translate.chrf_score import sentence_chrf

    text, reference = "somebodyisinthehouse", "someoneisinthehouse"
    assert chrf(text, reference) == pytest.approx(100 * sentence_chrf(reference, text, max_len=6, beta=2), abs=0.1)


def test_different_sentences_do_not_reach_the_threshold_that_ships() -> None:
    assert max(chrf(a, b) for a, b in itertools.combinations(SHIPPED[::3], 2)) < MIN_CHRF


@pytest.mark.parametrize(
    ("back", "source"),
    [
        ("They have just called me, I have the job.", "I got the job, they have just called me."),
        ("It's snowing, in mid-July.", "It is snowing, in the middle of July."),
    ],
)
def test_other_words_for_the_same_do(back: str, source: str) -> None:
    assert chrf(back, source) > MIN_CHRF


@pytest.fixture(name="encoder", scope="module")
def _encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT over characters."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("encoder")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", *(f"##{c}" for c in "abcdefghij")]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(folder / "vocab.txt").save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_an_encoder_finds_a_text_nearest_to_itself(encoder: Path) -> None:
    near = by_encoder(str(encoder))
    assert near("abc", "abc") == 100.0
    assert near("abc", "hij") == near("hij", "abc") < 100.0


def test_an_encoder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=f"--similarity-model: got '{tmp_path}', expected an encoder"):
        by_encoder(str(tmp_path))
