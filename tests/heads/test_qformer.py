"""The Emotion Q-Former before a tiny random LLaMA: shapes, masks, gradients, learning, and s3prl's command on it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from tests.experiment import Experiment, run_downstream, small_config
from tests.heads import tiny_llama
from tests.test_resume import differences, trained
from tests.upstreams.test_whisper import checkpoint as tiny_whisper  # noqa: F401 - a fixture
from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import FOUR, Corpus
from zero_shot_emotion.heads.contrast import text_contrast
from zero_shot_emotion.heads.language_model import LanguageModelError
from zero_shot_emotion.heads.qformer import EmotionQFormer, SpeechLanguageModel
from zero_shot_emotion.heads.settings import EmotionQFormerSettings, QFormerSettings
from zero_shot_emotion.settings import ConfigError, read_settings
from zero_shot_emotion.sources import Entry

SIZES = {"queries": 4, "layers": 2, "width": 16, "heads": 2, "dropout": 0.0}
CLASSES = ("neu", "hap", "ang", "sad")
EVERYTHING = {"speaker_adversary": 0.1, "language_adversary": 0.1, "dimensions": 8}


def settings(llama: Path, loss: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    model = {"name": str(llama), "dtype": "float32", **changes.pop("language_model", {})}
    return {"qformer": SIZES, "language_model": model, "loss": {"dimensions": 8, **(loss or {})}, **changes}


def head(llama: Path, trained_on: list[Entry] | None = None, **changes: Any) -> SpeechLanguageModel:
    torch.manual_seed(0)
    made = settings(llama, **changes)
    return SpeechLanguageModel(10, CLASSES, EmotionQFormerSettings.model_validate(made), trained_on or [])


def entry(i: int, label: int, speaker: str | None = "a", language: str | None = "en", **more: Any) -> Entry:
    return Entry(str(i), None, label, "corpus", speaker, None, "hello words", language=language, **more)


ENTRIES = [entry(0, 0, "a", "en"), entry(1, 1, "b", "fr"), entry(2, 1, "a", "en"), entry(3, 3, "b", "fr")]
TRUTH = torch.tensor([e.label for e in ENTRIES])


def frames(*lengths: int) -> list[Tensor]:
    return [torch.randn(n, 10, generator=torch.Generator().manual_seed(n)) for n in lengths]


@torch.no_grad()
def test_padding_changes_nothing(llama: Path) -> None:
    model, batch = head(llama).eval(), frames(5, 31, 1, 12)
    scores, space = model.answer(batch)
    assert scores.shape == (4, 4)
    assert space.shape == (4, 8)
    torch.testing.assert_close(space.norm(dim=1), torch.ones(4))
    assert scores.std(dim=0).min() > 1e-4  # utterances differ
    for i, utterance in enumerate(batch):
        alone, place = model.answer([utterance])
        torch.testing.assert_close(scores[i], alone[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(space[i], place[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(model(batch), scores)


@torch.no_grad()
@pytest.mark.parametrize("frequency", [1, 2])
def test_the_queries_answer(frequency: int) -> None:
    qformer = EmotionQFormer(10, QFormerSettings(**{**SIZES, "cross_attention_frequency": frequency})).eval()
    assert qformer(frames(7, 3)).shape == (2, 4, 16)
    looking = [hasattr(layer, "crossattention") for layer in qformer.model.encoder.layer]
    assert looking == ([True, True] if frequency == 1 else [True, False])


def test_every_parameter_learns_and_nothing_else(llama: Path) -> None:
    model = head(llama, ENTRIES, loss=EVERYTHING).train()
    upstream = [x.requires_grad_() for x in frames(5, 9, 7, 4)]
    loss, scores = model.loss(upstream, TRUTH, ENTRIES)
    loss.backward()
    assert scores.shape == (4, 4)
    without = [name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    assert without == []
    assert all(p.grad is None for p in model._language_model.model.parameters())


def test_speech_tokens_begin_as_large_as_words(llama: Path) -> None:
    model = head(llama).eval()
    tokens = model.to_language_model(model.qformer(frames(20, 30)))
    assert tokens.std().item() == pytest.approx(model._language_model.deviation, rel=0.3)


@pytest.mark.parametrize("loss", [{"language_model": 1.0, "text_contrast": 0, "emotion_contrast": 0}, EVERYTHING])
def test_what_can_be_learnt_is_learnt(llama: Path, loss: dict[str, Any]) -> None:
    model = head(llama, ENTRIES, loss=loss).train()
    generator = torch.Generator().manual_seed(1)
    kinds = torch.randn(4, 10, generator=generator)
    labels = torch.arange(16) % 4
    features = [kinds[k] + 0.1 * torch.randn(6, 10, generator=generator) for k in labels]
    entries = [entry(i, int(k), "ab"[i % 3 // 2], ["en", "fr"][i % 2]) for i, k in enumerate(labels)]
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        value, scores = model.loss(features, labels, entries)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0] / 3
    assert (scores.argmax(dim=1) == labels).all()


def test_classes_can_be_weighed(llama: Path) -> None:
    model = head(llama, loss={"text_contrast": 0, "emotion_contrast": 0}).eval()
    batch, weights = frames(5, 9, 7, 4), torch.tensor([1.0, 0.0, 0.0, 3.0])
    loss, scores = model.loss(batch, TRUTH, ENTRIES, weights)
    assert loss.item() == pytest.approx(-(scores[0, 0] + 3 * scores[3, 3]).item() / 4, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("emotion", {(0, 1), (2, 3)}), ("emotion-or-sentence", {(0, 1), (2, 3), (1, 2), (1, 7)})],
)
def test_positives_share_the_emotion_or_the_sentence_across_languages(kind: str, expected: set) -> None:
    from zero_shot_emotion.heads.qformer import _positives

    entries = [
        entry(0, 0, sentence=None),
        entry(1, 0, sentence="s1", language="en"),
        entry(2, 1, sentence="s1", language="fr"),
        entry(3, 1, sentence="s2", language="fr"),
        entry(4, 2, sentence="s2", language="fr"),  # the same sentence in the same language
        entry(5, 3, sentence=None),
        entry(6, 4, sentence="s1", language=None),  # in who knows which language
        entry(7, 5, sentence="s1", language="fr-CA"),
        replace(entry(8, 6, sentence="s1", language="de"), corpus="other"),  # corpora number their sentences alike
    ]
    found = _positives(torch.tensor([e.label for e in entries]), entries, kind)
    assert {(i, j) for i in range(9) for j in range(i + 1, 9) if found[i, j]} == expected
    assert torch.equal(found, found.T)


def test_a_translation_with_the_same_emotion_is_no_negative(llama: Path) -> None:
    said = ["good morning", "bonjour", "bonjour", "bonjour", "good evening", "bonsoir", "hello"]
    sentences = ["s1", "s1", "s1", None, None, None, "s1"]
    emotions = [1, 1, 2, 1, 1, 1, 1]
    spoken = [
        replace(entry(i, k, language="en" if "good" in text else "fr"), text=text, sentence=sentence)
        for i, (k, text, sentence) in enumerate(zip(emotions, said, sentences, strict=True))
    ]
    model = head(llama, loss={"language_model": 0, "emotion_contrast": 0, "text_contrast": 1}).eval()
    spoken[6] = replace(spoken[6], corpus="other")  # whose sentence s1 is another one
    batch, truth = frames(5, 9, 7, 4, 12, 3, 8), torch.tensor(emotions)
    alike = torch.eye(7, dtype=torch.bool)
    for i, j in [(0, 1), (1, 3)]:  # a translation; the same words and emotion
        alike[i, j] = alike[j, i] = True

    loss, _ = model.loss(batch, truth, spoken)

    described = [
        f"The speaker sounds {model.words[k]} and says: {text}" for k, text in zip(emotions, said, strict=True)
    ]
    text = model.text_to_space(model._language_model.describe(described))
    speech = model.answer(batch)[1]
    expected = text_contrast(speech, torch.nn.functional.normalize(text, dim=1), alike, 0.07)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_speakers_of_two_corpora_are_not_mixed_up(llama: Path) -> None:
    other = Entry("9", None, 0, "other", "a", None, "hello")
    model = head(llama, [*ENTRIES, other], loss={"speaker_adversary": 0.1})
    assert list(model.adversaries["speaker"]._index) == ["corpus/a", "corpus/b", "other/a"]


def test_regions_of_a_language_are_one_to_its_adversary(llama: Path) -> None:
    spoken = [entry(i, 0, language=tag) for i, tag in enumerate(("fr", "fr-CA", "de", None))]
    model = head(llama, spoken, loss={"language_adversary": 0.1})
    assert list(model.adversaries["language"]._index) == ["de", "fr"]


def test_an_adversary_needs_two_to_tell_apart(llama: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"language_adversary: expected two languages or more .*, got en$"):
        head(llama, [entry(0, 0), entry(1, 1)], loss={"language_adversary": 0.1})


def test_words_can_be_chosen(llama: Path) -> None:
    assert head(llama).words == ["neutral", "happy", "angry", "sad"]
    assert head(llama, words={"hap": "surprised"}).words == ["neutral", "surprised", "angry", "sad"]
    with pytest.raises(LanguageModelError, match=r"words: got the class 'joy', expected one of neu, hap, ang, sad"):
        head(llama, words={"joy": "happy"})


@pytest.mark.parametrize("key", ["text", "instruction"])
def test_templates_are_checked(key: str) -> None:
    section = {"loss": {"text": "{sound}"}} if key == "text" else {"language_model": {"instruction": "{sound}<speech>"}}
    config = {"datarc": {}, "modelrc": {"select": "EmotionQFormer", "EmotionQFormer": section}}
    with pytest.raises(ConfigError, match=rf"EmotionQFormer.*{key}: got .*expected a text whose only braces are"):
        read_settings(config)


def test_soft_labels_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"datarc.soft_labels: got 'scores', expected none with EmotionQFormer"):
        read_settings({"datarc": {"soft_labels": "scores"}, "modelrc": {"select": "EmotionQFormer"}})


@pytest.mark.parametrize("kind", ["text_contrast", "emotion_contrast"])
def test_contrasts_of_one_utterance_are_refused(kind: str) -> None:
    losses = {"text_contrast": 0, "emotion_contrast": 0}

    def made(**weights: float) -> dict[str, Any]:
        head = {"EmotionQFormer": {"loss": {**losses, **weights}}, "select": "EmotionQFormer"}
        return {"datarc": {"train_batch_size": 1}, "modelrc": head}

    with pytest.raises(
        ConfigError, match=rf"train_batch_size: got 1, expected at least 2 for .*EmotionQFormer.*{kind}"
    ):
        read_settings(made(**{kind: 0.5}))
    assert read_settings(made()).datarc.train_batch_size == 1


@pytest.mark.parametrize("size", ["m5ser", "m5ser-tiny"])
def test_the_shipped_stages_are_one_model(size: str) -> None:
    stages = [yaml.safe_load(find_config("downstream", f"{size}-stage{n}").read_text(encoding="utf-8")) for n in (1, 2)]
    first, second = (read_settings(stage["downstream_expert"]).modelrc for stage in stages)
    assert first.select == second.select == "EmotionQFormer"
    one, two = first.EmotionQFormer, second.EmotionQFormer
    assert (one.qformer, one.language_model, one.words) == (two.qformer, two.language_model, two.words)
    assert one.loss.model_copy(update={"positives": two.loss.positives}) == two.loss
    assert (one.loss.positives, two.loss.positives) == ("emotion", "emotion-or-sentence")


# by s3prl's own command


@pytest.fixture(scope="module")
def languages(tmp_path_factory: pytest.TempPathFactory, synthetic: Path) -> Path:
    """The training corpus with two languages and a parallel sentence now and then."""
    folder = tmp_path_factory.mktemp("languages") / "corpus"
    shutil.copytree(synthetic, folder)
    lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [{**line, "language": ["en", "fr"][i % 2], "parallel": f"s{i % 5}"} for i, line in enumerate(lines)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def config(train: Path, llama: Path, unseen: Path | None = None, **changes: Any) -> dict[str, Any]:
    section = settings(llama, loss=changes.pop("loss", None), **changes.pop("section", {}))
    section["qformer"] = {**SIZES, "dropout": 0.1}
    model = {"select": "EmotionQFormer", "EmotionQFormer": section}
    targets = {"unseen": unseen} if unseen else None
    return small_config(train, targets, **{"downstream_expert__modelrc": model, **changes})


@pytest.fixture(scope="module")
def stage1(tmp_path_factory: pytest.TempPathFactory, languages: Path, unseen: Path, llama: Path) -> Experiment:
    made = config(languages, llama, unseen, loss=EVERYTHING)
    return Experiment.make(tmp_path_factory.mktemp("stage1") / "exp", made).train()


def test_a_checkpoint_holds_what_was_trained_alone(stage1: Experiment) -> None:
    state = stage1.state("dev-best.ckpt")
    assert set(state) == {"Optimizer", "Step", "Epoch", "Args", "Config", "Featurizer", "Downstream"}
    weights = state["Downstream"]
    parts = {name.split(".")[1] for name in weights if name.startswith("classifier.")}
    assert parts == {"qformer", "to_language_model", "to_space", "text_to_space", "adversaries"}
    # The weights and Adam's two moments of each, and names and config around them.
    size = (stage1.folder / "dev-best.ckpt").stat().st_size
    assert size < 3 * 4 * sum(weight.numel() for weight in weights.values()) + 120_000


def tensors(folder: Path) -> set[bytes]:
    from safetensors.torch import load_file

    return {t.numpy().tobytes() for t in load_file(folder / "model.safetensors").values() if t.unique().numel() > 1}


def held(state: Any) -> set[bytes]:
    """Every tensor anywhere in a checkpoint."""
    if isinstance(state, Tensor):
        return {state.numpy().tobytes()}
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return {found for part in parts for found in held(part)}


def test_a_test_needs_nothing_of_the_training(stage1: Experiment, unseen: Path, tmp_path: Path) -> None:
    override = "config.downstream_expert.datarc.train=['/gone']"
    stage1.evaluate("unseen", "-o", override)
    report = stage1.folder / "results.json"
    assert '"unseen"' in report.read_text(encoding="utf-8")
    found = np.load(stage1.folder / "embeddings-unseen.npz")
    kept, _ = Corpus.load(unseen).with_labels(FOUR)
    assert sorted(found["ids"]) == sorted(u.id for u in kept)
    assert found["vectors"].shape == (len(kept), 8)
    np.testing.assert_allclose(np.linalg.norm(found["vectors"], axis=1), 1, atol=1e-5)


def test_inference_tells_what_the_model_says_freely_where_asked(
    stage1: Experiment, synthetic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave = next((synthetic / "audio").glob("*.wav"))
    command = ("-m", "inference", "-e", stage1.folder / "dev-best.ckpt", "-t", wave, "--device", "cpu")
    run_downstream(*command)
    assert '"said"' not in capsys.readouterr().out
    run_downstream(*command, "-o", "config.downstream_expert.modelrc.EmotionQFormer.language_model.answer=free")
    assert '"said": "' in capsys.readouterr().out


def start_from(stage1: Experiment, folder: Path, made: dict[str, Any]) -> dict[str, Tensor]:
    """What an experiment starts from: one step at a learning rate of 0 keeps it."""
    made["optimizer"]["lr"] = 0.0
    made["runner"] |= {"total_steps": 1, "save_step": 1, "eval_step": 1}
    new = Experiment.make(folder / "exp", made).train("-i", stage1.folder / "dev-best.ckpt")
    return new.state(1)["Downstream"]


def test_stage_2_starts_where_stage_1_ended(
    stage1: Experiment, tmp_path: Path, languages: Path, llama: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = config(languages, llama, loss={**EVERYTHING, "positives": "emotion-or-sentence"})
    new, old = start_from(stage1, tmp_path, made), stage1.state("dev-best.ckpt")["Downstream"]
    carried = [name for name in new if name.startswith("classifier.") and ".adversaries." not in name]
    assert len(carried) > 20
    for name in carried:
        assert torch.equal(new[name], old[name]), name
    assert not torch.equal(*(s["classifier.adversaries.speaker.network.0.weight"] for s in (new, old)))
    told = capsys.readouterr().out
    assert f"{len(carried)} weights taken; 8 start anew, for other classes or shapes: classifier.adversaries" in told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "not of this model: classifier.adversaries"),
        ({"section": {"words": {"hap": "surprised"}}}, "weights taken"),
        ({"downstream_expert__datarc__labels": {"name": "two", "classes": ["hap", "neu"], "drop": ["ang", "sad"]}}, ""),
    ],
)
def test_stage_2_may_have_no_adversary_other_words_other_classes(
    changes: dict[str, Any],
    told: str,
    stage1: Experiment,
    tmp_path: Path,
    unseen: Path,
    llama: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    new = start_from(stage1, tmp_path, config(unseen, llama, **changes))
    old = stage1.state("dev-best.ckpt")["Downstream"]
    for name, weight in new.items():
        if name.startswith("classifier."):
            assert torch.equal(weight, old[name]), name
    assert told in capsys.readouterr().out


RESUMED = {
    "everything": {"loss": {**EVERYTHING, "positives": "emotion-or-sentence"}},
    "adapters": {"section": {"language_model": {"lora": {"rank": 2, "dropout": 0.3}}}},
    "checkpointing, weighed": {
        "section": {"language_model": {"gradient_checkpointing": True}},
        "downstream_expert__datarc__balance": "loss",
    },
}


@pytest.mark.parametrize("case", RESUMED)
def test_a_resumed_run_ends_as_the_whole_one(case: str, tmp_path: Path, languages: Path, llama: Path) -> None:
    changes = dict(RESUMED[case])
    if case == "adapters":
        pytest.importorskip("peft", reason="LoRA needs peft")
    steps = {"runner__total_steps": 6, "runner__save_step": 1, "runner__eval_step": 3}
    whole = Experiment.make(tmp_path / "whole", config(languages, llama, **steps, **changes)).train()
    torch.manual_seed(11)  # whatever random state the next process happens to begin with
    override = f"args.expdir='{tmp_path / 'resumed'}'"
    run_downstream("-m", "train", "-e", whole.folder / "states-4.ckpt", "-o", override, "--device", "cpu")
    resumed = Experiment(tmp_path / "resumed", whole.config)
    assert differences(trained(whole.state(4)), trained(whole.state(6))) != []
    assert differences(trained(whole.state(6)), trained(resumed.state(6))) == []


def test_adapters_are_in_the_checkpoint_and_tests_use_them(
    tmp_path: Path, languages: Path, unseen: Path, llama: Path
) -> None:
    pytest.importorskip("peft", reason="LoRA needs peft")
    made = config(languages, llama, unseen, section={"language_model": {"lora": {"rank": 2}}})
    experiment = Experiment.make(tmp_path / "exp", made).train()
    adapters = [name for name in experiment.state(2)["Downstream"] if ".adapters." in name]
    assert adapters
    assert all("lora" in name for name in adapters)
    experiment.evaluate("unseen", checkpoint="states-2.ckpt")
    before = (experiment.folder / "predictions-unseen.csv").read_text(encoding="utf-8")
    state = experiment.state(2)
    for name in adapters:
        state["Downstream"][name].normal_()
    torch.save(state, experiment.folder / "states-2.ckpt")
    experiment.evaluate("unseen", checkpoint="states-2.ckpt")
    assert (experiment.folder / "predictions-unseen.csv").read_text(encoding="utf-8") != before


def test_whisper_goes_before_it(
    tiny_whisper: Path,  # noqa: F811
    tmp_path: Path,
    synthetic: Path,
    unseen: Path,
    llama: Path,
) -> None:
    upstream = ("whisper", "-k", tiny_whisper)
    experiment = Experiment.make(tmp_path / "exp", config(synthetic, llama, unseen), upstream).train()
    frozen = tensors(tiny_whisper) | tensors(llama)
    assert len(frozen) > 30
    for name in ("states-2.ckpt", "dev-best.ckpt"):
        assert not frozen & held(experiment.state(name))
    predictions = []
    for size in (1, 7):
        experiment.evaluate("unseen", "-o", f"config.downstream_expert.datarc.eval_batch_size={size}")
        found = np.load(experiment.folder / "embeddings-unseen.npz")
        predictions.append(dict(zip(found["ids"], found["vectors"], strict=True)))
    for name, vector in predictions[0].items():
        np.testing.assert_allclose(predictions[1][name], vector, atol=1e-5)


def test_the_language_model_takes_part_in_what_is_learnt(tmp_path: Path, synthetic: Path, llama: Path) -> None:
    """Another model in the same folder's place gives other predictions: it is not bypassed."""
    one, other = llama, tiny_llama.build(tmp_path / "other", seed=1)
    model = head(one).eval()
    with torch.no_grad():
        assert (model(frames(9)) - head(other).eval()(frames(9))).abs().max() > 1e-2
