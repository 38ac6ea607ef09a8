import pytest
import yaml

from zero_shot_emotion.benchmark.availability import find_missing, present
from zero_shot_emotion.benchmark.corpora import kind_of
from zero_shot_emotion.benchmark.grid import GridError, Paths, load_grid, placeholders
from zero_shot_emotion.benchmark.plan import head_config
from zero_shot_emotion.config_files import MissingConfigError

SMALL = {
    "sources": {"synthetic": {"kind": "synthetic"}},
    "targets": {"real": "emodb:${emodb}"},
    "upstreams": {"fbank": "fbank"},
    "heads": {"demo": "demo"},
}
PRIOR = {"neu": 0.4, "hap": 0.3, "ang": 0.2, "sad": 0.1}


def written(folder, **changes):
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["open", "seed-work", "smoke", "text"])
def test_the_shipped_grids_are_sound(name):
    grid = load_grid(name)
    assert grid.name == name
    assert set(placeholders(grid)) == set(grid.paths)


def test_the_seed_works_table_has_its_sources_and_targets_over_five_seeds():
    grid = load_grid("seed-work")
    assert {"synthetic", "podcast-like", "both-like", "meld", "msp-improv", "msp-improv+synthetic"} <= set(grid.sources)
    assert {"label-only", "both-like-iemocap-prior", "both-like-msp-podcast-prior"} <= set(grid.sources)
    assert (list(grid.encoders), grid.fusions["late"].upstream) == (["encoder"], "data2vec")
    assert set(grid.targets) == {"iemocap", "msp-podcast"}
    assert list(grid.upstreams) == ["data2vec"]
    assert grid.all_seeds == (0, 1, 2, 3, 4)


def test_five_seeds_are_the_default(tmp_path):
    assert load_grid(written(tmp_path)).all_seeds == (0, 1, 2, 3, 4)
    assert load_grid(written(tmp_path, seeds=[7, 9])).all_seeds == (7, 9)


def test_each_share_becomes_a_source(tmp_path):
    curve = {"kind": "share", "of": "synthetic", "shares": [0.1, 0.5]}
    grid = load_grid(written(tmp_path, sources={**SMALL["sources"], "curve": curve}))
    assert list(grid.sources) == ["synthetic", "curve-10%", "curve-50%"]
    assert kind_of(grid, "curve-10%") == "synthetic"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"kind": "synthetic"}, "synthetic"),
        ({"kind": "synthetic", "neutral": True}, "synthetic-neutral"),
        ({"kind": "synthetic", "rules": None}, "synthetic-neutral"),
        ({"kind": "corpus", "corpus": "x"}, "real"),
        ({"kind": "corpus", "corpus": "x", "counts_as": "weak-labels"}, "weak-labels"),
        ({"kind": "shuffled", "of": "synthetic"}, "shuffled"),
        ({"kind": "mixed", "of": ["synthetic", "synthetic"]}, "mixed"),
        ({"kind": "in-domain"}, "in-domain"),
        ({"kind": "majority"}, "majority"),
        ({"kind": "prior", "of": "synthetic", "target": "real"}, "synthetic"),
    ],
)
def test_a_source_counts_as_what_the_rows_call_it(tmp_path, source, kind):
    targets = {"real": {"corpus": "x", "prior": PRIOR}}
    assert (
        kind_of(load_grid(written(tmp_path, sources={**SMALL["sources"], "it": source}, targets=targets)), "it") == kind
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": {}}, "sources: got {}, expected at least 1 of them"),
        ({"sources": {"a": {"kind": "magic"}}}, "sources.a: got .*expected a 'kind' among 'corpus', "),
        ({"sources": {"a": {"kind": "corpus"}}}, "sources.a.corpus.corpus: missing"),
        (
            {"sources": {"a": {"kind": "synthetic", "speed": 2}}},
            "a.synthetic.speed: unknown key, expected one of kind, ",
        ),
        ({"sources": {"a": {"kind": "shuffled", "of": "b"}}}, "sources.a.of: got 'b', expected one of a$"),
        (
            {"sources": {"a": {"kind": "shuffled", "of": "b"}, "b": {"kind": "shuffled", "of": "a"}}},
            "sources.a.of: leads back to itself",
        ),
        (
            {"sources": {"a": {"kind": "majority"}, "b": {"kind": "shuffled", "of": "a"}}},
            "sources.b.of: got 'a', expected a source that is a corpus",
        ),
        (
            {"sources": {**SMALL["sources"], "p": {"kind": "prior", "of": "synthetic", "target": "real"}}},
            "targets.real.prior: missing, expected since the source 'p' follows it",
        ),
        ({"baseline": "c"}, "baseline: got 'c', expected one of synthetic"),
        ({"labels": "five"}, "unknown label set 'five'"),
        ({"seeds": [1, 1]}, r"seeds: got \[1, 1\], expected different ones"),
        ({"targets": {"dev": "x"}}, "a source or target cannot be called 'dev': that name is taken"),
        (
            {"upstreams": {"f": {"upstream": "fbank", "heads": ["x"]}}},
            "upstreams.f.heads: got 'x', expected one of demo",
        ),
    ],
)
def test_errors_name_file_key_value_and_what_was_expected(tmp_path, changes, message):
    with pytest.raises(GridError, match=message) as error:
        load_grid(written(tmp_path, **changes))
    assert str(error.value).startswith(str(tmp_path / "mine.yaml") + ": ")


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({**PRIOR, "neu": 0.6}, "targets.real.prior: adds up to 1.200, expected 1"),
        ({"neu": 0.5, "hap": 0.5}, "targets.real.prior: got neu, hap, expected neu, hap, ang, sad"),
    ],
)
def test_a_prior_is_a_distribution_over_the_classes(tmp_path, prior, message):
    sources = {**SMALL["sources"], "p": {"kind": "prior", "of": "synthetic", "target": "real"}}
    with pytest.raises(GridError, match=message):
        load_grid(written(tmp_path, sources=sources, targets={"real": {"corpus": "x", "prior": prior}}))


def test_what_is_no_yaml_and_no_grid_is_refused(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(GridError, match=r"bad\.yaml: expected YAML: "):
        load_grid(path)
    path.write_text("- a", encoding="utf-8")
    with pytest.raises(GridError, match=r"bad\.yaml: expected a mapping, got list$"):
        load_grid(path)
    with pytest.raises(MissingConfigError, match=r"expected the path of a \.yaml file or one of .*open.*seed-work"):
        load_grid("nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- runner", "expected a mapping, got list"),
        ("runner: [", "expected YAML: while parsing a flow node, expected the node content"),
        ("runner: {}", "optimizer: missing, expected a section of s3prl's downstream config"),
    ],
)
def test_a_head_that_is_no_downstream_config_is_named(tmp_path, content, message):
    head = tmp_path / "head.yaml"
    head.write_text(content, encoding="utf-8")
    grid = load_grid(written(tmp_path, heads={"mine": str(head)}))
    with pytest.raises(GridError, match=f"^{head}: {message}"):
        head_config(grid, "mine")


def test_placeholders_are_filled_from_the_option_then_the_grid_then_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("emodb", "/from/environment")
    grid = load_grid(written(tmp_path))
    assert Paths(grid).fill("emodb:${emodb}") == "emodb:/from/environment"
    grid = load_grid(written(tmp_path, paths={"emodb": "/from/grid"}))
    assert Paths(grid).fill("emodb:${emodb}") == "emodb:/from/grid"
    assert Paths(grid, {"emodb": "/from/option"}).fill("emodb:${emodb}") == "emodb:/from/option"
    with pytest.raises(GridError, match="--path nemo: the grid 'mine' has no such path, expected one of emodb"):
        Paths(grid, {"nemo": "x"})


def test_all_that_is_missing_is_said_at_once(tmp_path):
    sources = {
        **SMALL["sources"],
        "meld": {"kind": "corpus", "corpus": "meld:${meld}"},
        "both": {"kind": "mixed", "of": ["synthetic", "meld"]},
    }
    upstreams = {
        "fbank": "fbank",
        "mine": {"upstream": "x", "ckpt": "${ckpt}"},
        "no": {"upstream": "x", "requires": ["no_such"]},
    }
    grid = load_grid(written(tmp_path, sources=sources, upstreams=upstreams))
    with pytest.raises(GridError) as error:
        present(grid, Paths(grid, {"emodb": str(tmp_path / "gone")}), skip_missing=False)
    lines = str(error.value).splitlines()
    assert lines[0] == "mine: missing:"
    assert "  source meld: ${meld} stands for nothing: give --path meld=FOLDER" in lines
    assert "  source both: is made of meld, which is missing" in lines
    assert any(line.startswith("  target real: corpus ") and "no such file or folder" in line for line in lines)
    assert "  upstream mine: ${ckpt} stands for nothing: give --path ckpt=FOLDER" in lines
    assert lines[-1] == "Say where it is with --path NAME=FOLDER, or leave it out with --skip-missing"
    assert "no_such" not in str(error.value)  # a package that is not installed is no error


def test_what_is_missing_can_be_left_out(tmp_path, unseen):
    sources = {**SMALL["sources"], "meld": {"kind": "corpus", "corpus": "meld:${meld}"}}
    upstreams = {"fbank": "fbank", "no": {"upstream": "x", "requires": ["no_such"]}}
    grid = load_grid(
        written(tmp_path, sources=sources, upstreams=upstreams, targets={"real": str(unseen)}, baseline="meld")
    )
    left, missing = present(grid, Paths(grid), skip_missing=True)
    assert (list(left.sources), list(left.upstreams), left.baseline) == (["synthetic"], ["fbank"], None)
    assert missing.lines() == [
        "source meld: ${meld} stands for nothing: give --path meld=FOLDER",
        "upstream no: needs the package no_such, which is not installed",
    ]
    grid = load_grid(written(tmp_path, sources={"meld": sources["meld"]}, targets={"real": str(unseen)}))
    with pytest.raises(GridError, match="mine: sources: none is left of meld"):
        present(grid, Paths(grid), skip_missing=True)


def test_a_corpus_of_text_alone_is_missing_its_audio(tmp_path, unseen):
    text = tmp_path / "text"
    text.mkdir()
    (text / "metadata.jsonl").write_text('{"id": "a", "text": "words", "label": "neu"}\n', encoding="utf-8")
    grid = load_grid(written(tmp_path, targets={"real": str(text)}))
    assert "holds text alone, expected audio" in find_missing(grid, Paths(grid)).targets["real"]
