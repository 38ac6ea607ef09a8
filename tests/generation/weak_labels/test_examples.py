import json
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from generation.weak_labels.embedding import Embedder
from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.examples import Examples, read_examples
from generation.weak_labels.labeller import LabellerSpec, label
from generation.weak_labels.turn import Turn
from generation.weak_labels.weak_label import weak_label
from tests.generation.weak_labels.conftest import TEXTS
from tests.generation.weak_labels.test_weak_label import settings
from zero_shot_emotion.corpus import EMOTIONS, LABEL_SETS
from zero_shot_emotion.corpus.stage import StageError
from zero_shot_emotion.taxonomy import Taxonomy, load_taxonomy

FOUR, SEVEN = load_taxonomy("four"), load_taxonomy("seven")
TURNS = [Turn(text=text) for text in TEXTS]


def examples(encoder, taxonomy=SEVEN, **more):
    return LabellerSpec(kind="examples", model=encoder, device="cpu", **more).load(taxonomy)


def test_the_lines_that_ship_are_balanced_and_different():
    lines = read_examples()
    assert Counter(line.emotion for line in lines) == {EMOTIONS[code]: 60 for code in LABEL_SETS["seven"].classes}
    assert len({line.text.lower() for line in lines}) == len(lines) == 420


@pytest.mark.parametrize(("taxonomy", "lines", "penalty"), [(FOUR, 240, 1.0), (SEVEN, 420, 0.1)])
def test_scores_are_those_of_scikit_learn(encoder, taxonomy, lines, penalty):
    codes = {adjective: code for code, adjective in EMOTIONS.items()}
    chosen = [line for line in read_examples() if codes[line.emotion] in taxonomy.names]
    assert len(chosen) == lines
    embed = Embedder(encoder, device="cpu").embed
    labels = [taxonomy.names.index(codes[line.emotion]) for line in chosen]
    oracle = LogisticRegression(C=penalty, class_weight="balanced", max_iter=1000)
    oracle.fit(embed([line.text for line in chosen]), labels)
    found = examples(encoder, taxonomy, C=penalty).label(TURNS)
    np.testing.assert_allclose(found, oracle.predict_proba(embed(TEXTS)), atol=1e-3)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_the_order_of_the_classes_does_not_matter(encoder):
    names = SEVEN.names[::-1]
    turned = Taxonomy(name="turned", source="seven", classes={name: SEVEN.classes[name] for name in names})
    found = examples(encoder, turned).label(TURNS)
    np.testing.assert_array_equal(found[:, ::-1], examples(encoder).label(TURNS))


def test_nor_do_batches(encoder):
    whole = examples(encoder, batch_tokens=10_000).label(TURNS)
    np.testing.assert_allclose(examples(encoder, batch_tokens=30).label(TURNS), whole, atol=1e-4)
    one_by_one = np.concatenate([examples(encoder).label([turn]) for turn in TURNS])
    np.testing.assert_allclose(one_by_one, examples(encoder).label(TURNS), atol=1e-5)
    assert examples(encoder).label([]).shape == (0, 7)


def test_it_gives_the_same_twice(encoder):
    told = Examples.Settings(model=encoder, device="cpu")
    np.testing.assert_array_equal(Examples(told, SEVEN).label(TURNS), Examples(told, SEVEN).label(TURNS))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_lines_of_ones_own_for_classes_of_ones_own(tmp_path, encoder, suffix):
    rows = [("so angry", "anger"), ("furious", "ang"), ("thank  you", "gratitude"), ("so happy", "happy")]
    path = tmp_path / f"mine{suffix}"
    if suffix == ".csv":
        path.write_text("text,emotion\n" + "".join(f"{text},{emotion}\n" for text, emotion in rows))
    else:
        path.write_text("".join(json.dumps({"emotion": emotion, "text": text}) + "\n" for text, emotion in rows))
    classes = {"anger": ("anger",), "thanks": ("gratitude",)}
    taxonomy = Taxonomy(name="mine", source="made up", classes=classes, codes={"anger": "ang"})
    oracle = LogisticRegression(class_weight="balanced", max_iter=1000)
    embed = Embedder(encoder, device="cpu").embed
    oracle.fit(embed(["so angry", "furious", "thank you"]), [0, 0, 1])  # joy is canonical, and no class here
    found = examples(encoder, taxonomy, lines=str(path)).label(TURNS)
    np.testing.assert_allclose(found, oracle.predict_proba(embed(TEXTS)), atol=1e-4)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (None, r"labeller examples: .*mine\.csv: no such file"),
        ("text\nso\n", r"mine\.csv:2: expected the columns text and emotion, got text"),
        ("text,emotion\n ,happy\n", r"mine\.csv:2: expected a text and its emotion, got '' and 'happy'"),
        (
            "text,emotion\nso,hapy\n",
            r"mine\.csv:2: emotion: got 'hapy', expected a class of the taxonomy 'four', one of its words, or ",
        ),
        (
            "text,emotion\nso,happy\n",
            r"labeller examples: taxonomy 'four': class 'neu' \(and 2 more\): expected lines of every class, "
            r"mine\.csv has none of it; give lines of your own with lines: PATH",
        ),
    ],
)
def test_lines_that_do_not_do_are_named(tmp_path, encoder, lines, expected):
    path = tmp_path / "mine.csv"
    if lines is not None:
        path.write_text(lines)
    with pytest.raises(WeakLabelError, match=expected):
        examples(encoder, FOUR, lines=str(path))


def test_the_lines_that_ship_are_of_seven_emotions(encoder):
    with pytest.raises(WeakLabelError, match=r"taxonomy 'eight': class 'con': expected lines .*give lines of your own"):
        examples(encoder, load_taxonomy("eight"))


def test_other_lines_are_another_run(tmp_path, dialogue, encoder):
    path = tmp_path / "mine.csv"
    rows = ["text,emotion", *(f"so {word},{name}" for name, (word, *_) in FOUR.classes.items())]
    path.write_text("\n".join(rows))
    told = settings([{"kind": "examples", "model": encoder, "device": "cpu", "lines": str(path)}], taxonomy="four")
    before = list(weak_label(dialogue, tmp_path / "out", told).corpus)
    assert "it was there already" in weak_label(dialogue, tmp_path / "out", told).summary()
    path.write_text("\n".join([*rows, "so lost,sad"]))
    with pytest.raises(StageError, match="holds the output of another run"):
        weak_label(dialogue, tmp_path / "out", told)
    after = weak_label(dialogue, tmp_path / "out", told, overwrite=True).corpus
    assert [u.id for u in after] == [u.id for u in before]
    assert not any(u.extra["scores"] == v.extra["scores"] for u, v in zip(before, after, strict=True))
    assert {"torch", "transformers", "scikit-learn"} <= set(after.card["versions"])


def test_it_is_an_untrained_baseline(dialogue, encoder):
    spec = LabellerSpec(kind="examples", model=encoder, device="cpu")
    np.testing.assert_allclose(label(dialogue, spec, SEVEN), examples(encoder).label(TURNS), atol=1e-5)
