import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zero_shot_emotion.benchmark.space import (
    METHODS,
    Space,
    SpaceError,
    compare_spaces,
    draw_spaces,
    probe,
    project,
    read_space,
)
from zero_shot_emotion.corpus import LABEL_SETS, Corpus, Utterance

LANGUAGES, EMOTIONS, SPEAKERS, SENTENCES = ("de", "fr", "it"), ("ang", "sad"), 4, 3


@pytest.fixture(name="corpus", scope="module")
def _corpus() -> Corpus:
    lines = [
        Utterance(
            id=f"{tag}-{label}-{speaker}-{sentence}",
            label=label,
            language=tag,
            speaker=f"{tag}-{speaker}",
            text=f"{label} {sentence} {tag}",
        )
        for tag in LANGUAGES
        for label in EMOTIONS
        for speaker in range(SPEAKERS)
        for sentence in range(SENTENCES)
    ]
    return Corpus("mine", Path(), tuple(lines))


def vectors(corpus: Corpus, *columns: str, noise: float = 0.1) -> np.ndarray:
    """Embeddings that hold some columns, each value in a direction of its own, and noise."""
    rng = np.random.default_rng(0)
    place = {}
    for u in corpus:
        for column in columns:
            place.setdefault(getattr(u, column), rng.normal(size=8))
    return np.array(
        [sum((place[getattr(u, c)] for c in columns), np.zeros(8)) + noise * rng.normal(size=8) for u in corpus]
    )


def space(corpus: Corpus, *columns: str) -> Space:
    return Space("x", vectors(corpus, *columns), corpus.utterances)


def test_a_probe_finds_what_is_there_and_nothing_else(corpus: Corpus) -> None:
    only_emotion = space(corpus, "label")
    emotion, language = probe(only_emotion, "emotion"), probe(only_emotion, "language")
    assert emotion.uar.value == 1
    assert emotion.chance == 1 / 2
    assert language.uar.low < 1 / 3 < language.uar.high
    assert language.classes == 3
    assert probe(space(corpus, "language"), "language").uar.value == 1
    assert probe(space(corpus, "speaker"), "speaker").uar.value > 0.9
    assert probe(only_emotion, "speaker").uar.value < 0.3


def test_folds_share_no_speaker(corpus: Corpus) -> None:
    """A label that follows from the speaker alone cannot be told of speakers who were never heard."""
    rng = np.random.default_rng(1)
    of = {u.speaker: rng.choice(EMOTIONS) for u in corpus}
    by_speaker = tuple(u.with_(label=of[u.speaker]) for u in corpus)
    found = probe(Space("x", vectors(corpus, "speaker"), by_speaker), "emotion")
    assert found.by == "speaker and dialogue"
    assert found.uar.value < 0.8


@pytest.mark.parametrize(
    ("dialogue", "by"),
    [
        (lambda u: f"block-{u.speaker[-1] in '01'}", "speaker and dialogue"),  # two blocks with speakers of their own
        (lambda u: "one", "speaker"),  # all meet
        (lambda u: f"{u.label}-{u.id[-1]}", "speaker"),  # everyone says the same sentences
        (lambda u: "small" if u.speaker[-1] == "0" and u.language == "de" else "large", "speaker"),
        (lambda u: None, "speaker and dialogue"),
    ],
)
def test_folds_of_few_blocks_share_no_speaker_either(corpus: Corpus, dialogue, by: str) -> None:
    """Each speaker has one label and a direction of their own: it tells the label of known voices alone."""
    speakers = sorted({u.speaker for u in corpus})
    of = {speaker: EMOTIONS[i // 2 % 2 ^ i % 2] for i, speaker in enumerate(speakers)}
    spoken = tuple(u.with_(label=of[u.speaker], dialogue=dialogue(u)) for u in corpus)
    found = probe(Space("x", np.eye(len(speakers))[[speakers.index(u.speaker) for u in spoken]], spoken), "emotion")
    assert found.by == by
    assert found.uar.value <= 0.75


def test_dialogues_are_kept_together_where_speakers_are_not_known(corpus: Corpus) -> None:
    unknown = tuple(u.with_(speaker=None, dialogue=u.id[:6]) for u in corpus)
    assert probe(Space("x", vectors(corpus, "label"), unknown), "emotion").by == "dialogue"


def test_a_probe_has_nothing_to_tell_of_one_class(corpus: Corpus) -> None:
    german = corpus.where(lambda u: u.language == "de")
    assert probe(space(german, "label"), "language") is None


def test_a_probe_has_nothing_to_tell_where_a_fold_leaves_one_class_to_learn_from() -> None:
    said = [("sad", "s0"), ("sad", "s3"), ("ang", "s0"), ("ang", "s2")]
    few = tuple(Utterance(id=f"u{n}", label=label, speaker=who) for n, (label, who) in enumerate(said))
    assert probe(Space("few", np.eye(4), few), "emotion") is None


def test_regions_of_a_language_are_one(corpus: Corpus) -> None:
    utterances = tuple(u.with_(language=f"{u.language}-XX") if u.id.endswith("0") else u for u in corpus)
    assert probe(Space("x", vectors(corpus, "language"), utterances), "language").classes == 3


def test_spaces_of_experiments_are_compared(corpus: Corpus, tmp_path: Path) -> None:
    for name, columns in (("before", ("label", "language")), ("after", ("label",))):
        (tmp_path / name).mkdir()
        # the ids of a set of several corpora have the corpus's name before them
        ids = [u.id if name == "after" else f"mine/{u.id}" for u in corpus]
        np.savez(tmp_path / name / "embeddings-dev.npz", ids=np.array(ids), vectors=vectors(corpus, *columns))

    shown = compare_spaces([tmp_path / "before", tmp_path / "after"], [corpus], tmp_path / "space.png")

    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [
        [name, what] for name in ("before", "after") for what in ("emotion", "language", "speaker")
    ]
    probes = json.loads((tmp_path / "space.json").read_text())
    assert probes["before"]["language"]["UAR"]["value"] == 1
    assert probes["after"]["language"]["UAR"]["value"] < 0.6
    assert probes["after"]["emotion"]["UAR"]["value"] == 1
    assert probes["after"]["language"]["chance"] == pytest.approx(1 / 3)
    assert (tmp_path / "space.png").read_bytes().startswith(b"\x89PNG")


def installed(method: str) -> None:
    if method == "umap":
        pytest.importorskip("umap", reason="pictures by UMAP need umap-learn: the extra umap")


@pytest.mark.parametrize("method", METHODS)
def test_the_plane_keeps_clusters_apart(corpus: Corpus, method: str) -> None:
    installed(method)
    embeddings = vectors(corpus, "language", noise=0.01)
    points = project(embeddings, method)
    assert points.shape == (len(corpus), 2)
    np.testing.assert_array_equal(points, project(embeddings, method))
    tags = np.array([u.language for u in corpus])
    near = [np.argsort(((points - p) ** 2).sum(1))[1] for p in points]
    assert (tags[near] == tags).mean() > 0.95


def test_csv_and_label_sets(corpus: Corpus, tmp_path: Path) -> None:
    calm = Corpus("mine", Path(), (corpus.utterances[0], corpus.utterances[1].with_(label="cal")))
    path = tmp_path / "mine.csv"
    path.write_text("id,x,y\n" + "".join(f"{u.id},{i},-1.5\n" for i, u in enumerate(calm)))
    read = read_space(path, [calm], "dev")
    np.testing.assert_array_equal(read.vectors, [[0, -1.5], [1, -1.5]])
    assert read.name == "mine"
    assert [u.label for u in read_space(path, [calm], "dev", LABEL_SETS["four"]).utterances] == ["ang"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"ids": ["z"], "vectors": [[1.0]]}, "1 ids, such as 'z', are in none of the corpora mine"),
        ({"ids": ["z", "y"], "vectors": [[1.0]]}, r"got 2 ids and vectors of shape \(1, 1\)"),
        ({"ids": ["z"], "vectors": [[np.nan]]}, "expected .* all finite"),
        ({"ids": ["z"]}, "expected the arrays ids .n. and vectors .n, d.: .*vectors"),
    ],
)
def test_refuses(corpus: Corpus, tmp_path: Path, arrays, message: str) -> None:
    np.savez(tmp_path / "embeddings-dev.npz", **{name: np.array(array) for name, array in arrays.items()})
    with pytest.raises(SpaceError, match=message):
        read_space(tmp_path, [corpus], "dev")


@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_space_can_be_drawn(method: str) -> None:
    installed(method)
    points = project(np.eye(4), method)
    assert points.shape == (4, 2)
    assert np.isfinite(points).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_shows_each_space_by_emotion_and_by_language(corpus: Corpus, tmp_path: Path, method: str) -> None:
    installed(method)
    spaces = [replace(space(corpus, "language"), name="before"), replace(space(corpus, "label"), name="after")]
    said = draw_spaces(spaces, tmp_path / "deep" / "space.svg", method).read_text(encoding="utf-8")
    for name in ("before", "after"):
        assert f"<!-- {name}, by emotion -->" in said
        assert f"<!-- {name}, by language -->" in said
    for value in (*LANGUAGES, *EMOTIONS):
        assert said.count(f"<!-- {value} -->") == 2  # a legend in each space


def test_umap_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(
        SpaceError, match=r"--method: got 'umap', .* pip install 'zero-shot-emotion\[umap\]' \(or tsne\)"
    ):
        project(np.zeros((4, 2)), "umap")


def test_refuses_what_is_not_there(corpus: Corpus, tmp_path: Path) -> None:
    np.savez(tmp_path / "embeddings-unseen.npz", ids=np.array(["a"]), vectors=np.zeros((1, 2)))
    with pytest.raises(SpaceError, match=r"embeddings-dev\.npz: missing, .* there are: embeddings-unseen\.npz"):
        read_space(tmp_path, [corpus], "dev")
    with pytest.raises(SpaceError, match="--method: got 'pca', expected tsne or umap"):
        compare_spaces([tmp_path], [corpus], tmp_path / "a.png", method="pca")
    with pytest.raises(SpaceError, match="picture: got 3 embeddings, expected at least 4"):
        project(np.zeros((3, 2)))
