import numpy as np
import pytest
import torch

from generation.weak_labels.entailment import Entailment, entailment_index
from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.labeller import LabellerSpec, label
from generation.weak_labels.turn import Turn
from tests.generation.weak_labels import tiny_models
from tests.generation.weak_labels.conftest import TEXTS
from zero_shot_emotion import pretrained
from zero_shot_emotion.batches import Batcher
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.errors import UserError
from zero_shot_emotion.taxonomy import Taxonomy, load_taxonomy

SEVEN = load_taxonomy("seven")


def labeller(model, taxonomy=SEVEN, **settings):
    return Entailment(Entailment.Settings(model=model, device="cpu", **settings), taxonomy)


def turns(texts=TEXTS):
    return [Turn(text=text) for text in texts]


@pytest.mark.parametrize("template", ["The emotion of the conversation is {}.", "I feel {}"])
def test_scores_are_those_of_the_zero_shot_pipeline(nli, template):
    from transformers import pipeline

    oracle = pipeline("zero-shot-classification", model=nli, device="cpu")
    words = [words[0] for words in SEVEN.classes.values()]
    found = labeller(nli, templates=(template,)).label(turns())
    for text, row in zip(TEXTS, found, strict=True):
        expected = oracle(text, words, hypothesis_template=template)
        np.testing.assert_allclose(
            row, [expected["scores"][expected["labels"].index(word)] for word in words], atol=1e-5
        )


def words_of(text):
    return text.lower().replace(".", " .").replace(",", " ,").replace("!", " ! ").split()


def test_the_transcript_is_the_premise_and_the_filled_prompt_the_hypothesis(overlap):
    found = labeller(overlap).logits(TEXTS)
    for text, row in zip(TEXTS, found, strict=True):
        for words, logit in zip(SEVEN.classes.values(), row, strict=True):
            hypothesis = words_of(f"The emotion of the conversation is {words[0]}.")
            share = sum(word in words_of(text) for word in hypothesis) / len(hypothesis)
            assert logit == pytest.approx(10 * share, abs=1e-5)


@pytest.mark.parametrize(("text", "expected"), [("so happy", "hap"), ("i am sad .", "sad"), ("angry angry", "ang")])
def test_the_likeliest_class_is_the_one_that_is_entailed(overlap, text, expected):
    (row,) = labeller(overlap).label(turns([text]))
    assert SEVEN.names[row.argmax()] == expected
    assert row.sum() == pytest.approx(1)


def test_all_words_of_a_class_count_when_they_are_asked_for(overlap):
    first, everything = (labeller(overlap, words=words).label(turns(["furious"]))[0] for words in ("first", "all"))
    assert first.max() - first.min() < 1e-6
    assert SEVEN.names[everything.argmax()] == "ang"


def test_prompts_are_pooled_by_the_geometric_mean_of_their_distributions(nli):
    one, other = "The emotion of the conversation is {}.", "I feel {}."
    a, b = (labeller(nli, templates=(template,)).label(turns()) for template in (one, other))
    mean = np.sqrt(a * b)
    pooled = labeller(nli, templates=(one, other)).label(turns())
    np.testing.assert_allclose(pooled, mean / mean.sum(axis=1, keepdims=True), atol=1e-6)


def test_permuting_the_taxonomy_permutes_the_scores(nli):
    order = [4, 0, 6, 2, 5, 1, 3]
    names = [SEVEN.names[i] for i in order]
    permuted = Taxonomy(name="p", source="s", classes={name: SEVEN.classes[name] for name in names})
    found = labeller(nli, permuted).label(turns())
    np.testing.assert_allclose(found, labeller(nli).label(turns())[:, order], atol=1e-6)


@pytest.mark.parametrize("batch_tokens", [1, 40, 100_000])
def test_batching_does_not_change_the_scores(nli, batch_tokens):
    together = labeller(nli, batch_tokens=batch_tokens).label(turns())
    alone = np.concatenate([labeller(nli).label([turn]) for turn in turns()])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_premise_that_is_too_long_is_cut_and_the_hypothesis_is_not(overlap):
    row = labeller(overlap).label(turns([" ".join(["very"] * 300 + ["angry"])]))[0]
    assert row.max() - row.min() < 1e-6  # the word is beyond what was read
    row = labeller(overlap).label(turns([" ".join(["angry"] + ["very"] * 300)]))[0]
    assert SEVEN.names[row.argmax()] == "ang"


def test_with_context_the_oldest_turns_are_cut(overlap):
    turn = Turn(text="so angry", before=tuple(["very sad"] * 100), after=("happy",))
    (row,) = labeller(overlap, context=100).label([turn])
    shares = dict(zip(SEVEN.names, row, strict=True))
    assert shares["ang"] == pytest.approx(shares["sad"])  # the utterance is read, and so are the nearest turns before
    assert shares["ang"] > shares["hap"] == pytest.approx(shares["neu"])  # those after it are not


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
def test_other_linear_layers_give_the_same_scores(nli, monkeypatch, capability):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    found = labeller(nli)
    replaced = not any(type(module) is torch.nn.Linear for module in found._model.modules())
    assert replaced == (capability == "AVX512" and torch.backends.mkldnn.is_available())
    monkeypatch.setattr(pretrained, "fastest", lambda model, device: model)
    np.testing.assert_allclose(found.logits(TEXTS), labeller(nli).logits(TEXTS), atol=1e-5)


def test_what_is_not_linear_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    plain = torch.nn.Sequential(torch.nn.Conv1d(3, 8, 3), torch.nn.Linear(10, 4), torch.nn.LayerNorm(4)).eval()
    x = torch.randn(2, 3, 12, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = plain(x)
        torch.testing.assert_close(pretrained.fastest(plain, "cpu")(x), expected, atol=1e-5, rtol=0)


def test_each_distinct_text_is_labelled_once(overlap, monkeypatch):
    asked = []
    real = Entailment.logits
    monkeypatch.setattr(Entailment, "logits", lambda self, premises: asked.extend(premises) or real(self, premises))
    utterances = [Utterance(id=f"u{i}", text=text) for i, text in enumerate(["sad", "happy", "sad", " sad ", ""])]
    found = label(utterances, LabellerSpec(kind="entailment", model=overlap, device="cpu"), SEVEN)
    assert sorted(asked) == ["happy", "sad"]
    assert [None if np.isnan(row).all() else SEVEN.names[row.argmax()] for row in found] == [
        "sad", "hap", "sad", "sad", None
    ]  # fmt: skip


def test_a_batch_that_does_not_fit_is_halved_and_stays_so():
    sizes = []

    def forward(batch):
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("too much")
        return [item * 10 for item in batch]

    batcher = Batcher(8)
    assert batcher.run(list(range(12)), [1] * 12, forward) == [10 * i for i in range(12)]
    assert sizes == [8, 4, 2, 2, 4, 2, 2, 1, 1, 1, 1]  # eight were cut before it was known, the rest after
    assert batcher.most == 1


class Little:
    """A model on a device with too little memory for more than some tokens at once."""

    def __init__(self, model, most):
        self.model, self.most, self.sizes = model, most, []

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, **batch):
        self.sizes.append(batch["input_ids"].numel())
        if self.sizes[-1] > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return self.model(**batch)


def test_a_device_with_little_memory_gives_the_same_scores_in_smaller_batches(nli, monkeypatch):
    expected = labeller(nli).label(turns())
    found = labeller(nli, batch_tokens=400)
    little = Little(found._model, most=250)
    monkeypatch.setattr(found, "_model", little)
    np.testing.assert_allclose(found.label(turns()), expected, atol=1e-5)
    assert [size > little.most for size in little.sizes[:2]] == [True, False]
    assert max(little.sizes[1:]) <= little.most  # what was learnt holds for the rest of the run


def test_one_item_that_does_not_fit_is_an_error():
    def forward(batch):
        raise torch.OutOfMemoryError("too much")

    with pytest.raises(UserError, match="out of memory at a batch of one, expected a smaller model"):
        Batcher(4).run([1], [1], forward)


@pytest.mark.parametrize(
    ("labels", "expected"), [({"entailment": 0, "x": 1}, 0), ({"a": 0, "ENTAILMENT": 2}, 2), (tiny_models.NLI, 1)]
)
def test_the_models_config_says_where_entailment_is(labels, expected):
    assert entailment_index("m", labels) == expected


def test_a_model_that_knows_no_entailment_is_refused(tmp_path):
    folder = str(tiny_models.random_nli(tmp_path, {"LABEL_0": 0, "LABEL_1": 1}))
    expected = r"has the labels LABEL_0, LABEL_1, expected one whose name begins with 'entail'"
    with pytest.raises(WeakLabelError, match=expected):
        labeller(folder)


@pytest.mark.parametrize("template", ["no slot", "{} and {}", "{word}"])
def test_a_prompt_has_one_slot(nli, template):
    expected = r"labeller entailment: templates\.0: got .*, expected .*a prompt with {} once"
    with pytest.raises(WeakLabelError, match=expected):
        LabellerSpec(kind="entailment", model=nli, templates=[template]).load(SEVEN)


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(UserError, match="model: got '/nowhere', expected a model of the Hugging Face hub"):
        labeller("/nowhere")
