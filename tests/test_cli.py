import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generation.chat_server import Reply, completion, serving
from zero_shot_emotion import __version__, cli
from zero_shot_emotion.config_files import configs_folder
from zero_shot_emotion.corpus import Corpus, CorpusError, executors, readers
from zero_shot_emotion.testing import tiny_corpus


def run(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command."""
    before = sys.argv
    sys.argv = ["zero-shot-emotion", *arguments]
    try:
        cli.main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.argv = before
    out, err = capfd.readouterr()
    return status, out, err


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from zero_shot_emotion import cli\n"
        "sys.argv = ['zero-shot-emotion', '--help']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 's3prl', 'transformers', 'numpy', 'pydantic', 'yaml'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    for command in (
        "demo",
        "generate",
        "translate",
        "make-corpus",
        "speak",
        "inject",
        "augment",
        "weak-label",
        "train-text",
        "fuse",
        "extract",
        "benchmark",
        "predict",
        "leaderboard",
        "space",
        "run-downstream",
        "corpus",
        "doctor",
    ):
        assert command in out
    assert out.rstrip().endswith("[]")


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "zero_shot_emotion.cli", "--version"]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{__version__}\n"


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, "--version") == (0, f"{__version__}\n", "")


def test_text_is_generated_spoken_and_injected(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text, spoken, emotional, control = (str(tmp_path / n) for n in ("text", "spoken", "emotional", "control"))

    status, out, _ = run(capfd, "generate", "-o", text, "-n", "8", "--seed", "3")
    assert status == 0
    assert "generate: 8 utterances (ang 2, hap 2, neu 2, sad 2)" in out
    assert run(capfd, "speak", text, "-o", spoken, "-j", "1")[0] == 0
    assert run(capfd, "inject", spoken, "-o", emotional, "-j", "1")[0] == 0
    assert run(capfd, "inject", spoken, "-o", control, "-j", "1", "--neutral")[0] == 0

    assert {u.extra["injection"]["emotion"] for u in Corpus.load(emotional)} == {"ang", "hap", "neu", "sad"}
    assert {u.extra["injection"]["emotion"] for u in Corpus.load(control)} == {"neu"}
    strong = (spoken, "-o", str(tmp_path / "strong"), "-j", "1", "-s", "rules=contoured", "--intensity", "1.5")
    assert run(capfd, "inject", *strong)[0] == 0
    injection = next(iter(Corpus.load(tmp_path / "strong"))).extra["injection"]
    assert (injection["method"], injection["rules"], injection["intensity"]) == ("rules", "contoured", 1.5)
    status, _, err = run(capfd, "inject", spoken, "-o", str(tmp_path / "no"), "--method", "magic")
    assert (status, err) == (
        1,
        "error: injection method: got 'magic', expected one of expressive, rules, voice-conversion\n",
    )
    status, out, _ = run(capfd, "corpus", "validate", emotional)
    assert status == 0
    assert "0 files are not" in out


def test_a_corpus_in_two_languages_is_made_left_out_and_looked_at(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text, picture = str(tmp_path / "text"), tmp_path / "languages.svg"

    status, out, _ = run(capfd, "generate", "--parallel", "fr,de", "--labels", "seven", "-n", "28", "-o", text)
    assert (status, out.splitlines()[0]) == (
        0,
        "generate: 28 utterances (ang 4, dis 4, fea 4, hap 4, neu 4, sad 4, sur 4)",
    )
    assert run(capfd, "corpus", "summarise", f"{text}#@fr", "--picture", str(picture))[0] == 0
    assert ">parallel: 14 utterances<" in picture.read_text()
    status, out, _ = run(capfd, "leave-one-language-out", "demo", text, "-o", str(tmp_path / "configs"))
    assert [Path(line).name for line in out.split()] == ["de.yaml", "fr.yaml"]
    vectors = tmp_path / "mine.csv"
    vectors.write_text("id,x\n" + "".join(f"{u.id},{u.language == 'fr':d}\n" for u in Corpus.load(text)))
    status, out, _ = run(capfd, "space", str(vectors), "--corpus", text, "-o", str(tmp_path / "space.png"))
    assert status == 0
    assert "mine   language  1.000" in out
    status, _, err = run(capfd, "generate", "--parallel", "all", "--model", "m", "-o", str(tmp_path / "no"))
    assert (status, err) == (
        1,
        "error: --parallel: takes sentences that ship; a model's text is brought to others by translate\n",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-requests", "5"], "endpoint: model: missing, expected the name of a model"),
        (["--max-cost", "2", "--prompt-price", "1"], "endpoint: model: missing, expected the name of a model"),
        (
            ["--parallel", "en", "--language", "de"],
            "--language de: got --parallel too, which says the languages itself",
        ),
    ],
)
def test_no_option_of_generate_is_passed_over(capfd, tmp_path, options, message):
    """What is meant for a model, or for a datasheet, would have no effect on what ships."""
    status, _, err = run(capfd, "generate", "-n", "40", *options, "-o", str(tmp_path / "out"))
    assert status == 1
    assert message in err
    assert not (tmp_path / "out").exists()


def test_a_datasheet_is_begun_checked_and_seen_as_a_prompt(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    assert run(capfd, "datasheet", "new", str(path))[0] == 0
    status, _, err = run(capfd, "datasheet", "check", str(path))
    assert (status, err.count("FILL IN")) == (1, path.read_text(encoding="utf-8").count("FILL IN"))

    shipped = (configs_folder() / "datasheets" / "msp-improv.yaml").read_text(encoding="utf-8")
    path.write_text(shipped.replace("labels: [ang, hap, neu, sad]", "labels: [ang, hap, neu, fru]"), encoding="utf-8")
    status, out, _ = run(capfd, "datasheet", "check", str(path))
    told = dict(line.split("  ", 1) for line in out.splitlines())
    assert status == 0
    assert told["label sets"].strip().startswith("four lacks sad; six lacks sad, fea, dis; ")
    assert told["lengths"].strip() == "1 to 55 words, half of them up to 10, at 2.74 a second"
    assert f"--datasheet {path} --labels ang,hap,neu,fru --llm-base-url URL --model MODEL" in told["use it with"]

    status, out, _ = run(capfd, "datasheet", "prompt", str(path), "--labels", "ang,hap,neu,fru")
    assert status == 0
    assert re.search(r"^1\. A, \w+, about \d+ words?$", out, re.MULTILINE)
    status, _, err = run(capfd, "datasheet", "prompt", str(path))
    assert (status, "no emotion for the class 'sad'" in err) == (1, True)


def test_a_model_translates_a_corpus(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, out_folder = str(tmp_path / "text"), str(tmp_path / "translated")
    assert run(capfd, "generate", "-o", source, "-n", "8")[0] == 0

    def both(body: dict, attempt: int) -> Reply:
        """Says the emotion that the prompt of the translation told, and brings back what was there."""
        prompt = body["messages"][0]["content"]
        if found := re.search(r"^The line: (.*)$", prompt, re.M):
            emotion = re.search(r"The speaker is (\w+)", prompt)[1]
            return completion(json.dumps({"translation": f"{emotion} xx {found[1]}"}))
        emotion, back = re.search(r": (\w+) xx (.*)$", prompt, re.M).groups()
        return completion(json.dumps({"translation": back, "emotion": emotion}))

    with serving(both) as server:
        status, out, _ = run(
            capfd, "translate", source, "-o", out_folder, "--to", "fr,it", "--llm-base-url", server.url, "--model", "m"
        )
    assert status == 0
    assert out.startswith("translate: 24 of 24 utterances (ang 6, hap 6, neu 6, sad 6)")
    assert {u.language for u in Corpus.load(out_folder)} == {"en", "fr", "it"}


def test_what_a_user_can_mend_ends_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capfd, "corpus", "summarise", f"nosuch:{tmp_path}")

    assert status == 1
    assert err.startswith("error: corpus 'nosuch:")
    assert "unknown reader 'nosuch', expected one of iemocap" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("speak", [], "what was finished is kept; the same command goes on from there"),
        (
            "speak",
            ["--overwrite"],
            "what was finished is kept; the same command without --overwrite goes on from there",
        ),
        ("summarise", [], "nothing was written; the same command begins anew"),
    ],
)
def test_ctrl_c_ends_in_one_line(tmp_path, capfd, monkeypatch, command, options, message):
    def stop(spec: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(readers, "open_corpus", stop)
    arguments = {
        "speak": ["speak", "in", "-o", str(tmp_path / "out"), *options],
        "summarise": ["corpus", "summarise", "in"],
    }
    assert run(capfd, *arguments[command]) == (130, "", f"stopped: {message}\n")


def test_the_traceback_comes_on_demand(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZERO_SHOT_EMOTION_TRACEBACK", "1")
    with pytest.raises(CorpusError, match="nowhere: no such file or folder"):
        run(capfd, "corpus", "summarise", str(tmp_path / "nowhere"))


def test_validate_reports_bad_audio_and_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    corpus = tiny_corpus(tmp_path / "tiny", dialogues=2)
    corpus.audio_path(corpus.utterances[0]).write_bytes(b"")

    status, out, _ = run(capfd, "corpus", "validate", str(tmp_path / "tiny"))

    assert status == 1
    assert "1 files are not" in out
    assert "1 unreadable, such as" in out
    assert run(capfd, "corpus", "validate", str(tmp_path / "tiny"), "--no-audio")[0] == 0


def test_corpora_go_to_the_seed_format_and_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tiny_corpus(tmp_path / "tiny", dialogues=2)
    lists = tmp_path / "meta_data" / "fold1" / "train_meta_data.json"

    assert run(capfd, "corpus", "convert", str(source.root), "-o", str(lists))[0] == 0
    assert json.loads(lists.read_text())["labels"] == {"neu": 0, "hap": 1, "ang": 2, "sad": 3}
    status, _, err = run(capfd, "corpus", "convert", str(lists), "-o", str(tmp_path / "back"))
    assert status == 1
    assert "--root: missing" in err
    assert run(capfd, "corpus", "convert", str(lists), "-o", str(tmp_path / "back"), "--root", str(source.root))[0] == 0

    assert [u.label for u in Corpus.load(tmp_path / "back")] == [u.label for u in source]


@pytest.mark.parametrize("stage", ["inject", "weak-label"])
def test_a_stage_does_not_write_over_its_input(tmp_path: Path, capfd: pytest.CaptureFixture[str], stage: str) -> None:
    folder = str(tiny_corpus(tmp_path / "tiny", dialogues=2).root)

    status, _, err = run(capfd, stage, folder, "-o", folder, "--overwrite")

    assert status == 1
    assert "is the input itself, expected another folder" in err
    assert len(Corpus.load(folder)) == 8


def test_a_cluster_is_asked_for_by_its_address(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    tiny_corpus(tmp_path / "tiny", dialogues=1)
    inject = ("inject", str(tmp_path / "tiny"), "-o", str(tmp_path / "out"))

    status, _, err = run(capfd, *inject, "--executor", "dask")
    assert status == 1
    assert "error: --executor dask: missing --scheduler, expected an address such as tcp://host:8786" in err

    status, _, err = run(capfd, *inject, "--executor", "local", "--scheduler", "tcp://head:8786")
    assert status == 1
    assert "error: --scheduler tcp://head:8786: got --executor local, expected dask" in err

    monkeypatch.setattr(executors, "CONNECT_SECONDS", 0.5)
    status, _, err = run(capfd, *inject, "--scheduler", "tcp://127.0.0.1:9")
    assert status == 1
    assert "error: --scheduler tcp://127.0.0.1:9: does not answer, expected a Dask scheduler: " in err
    assert not (tmp_path / "out").exists()


def test_audio_can_be_spread_and_a_corpus_packed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("webdataset")
    tiny_corpus(tmp_path / "tiny", dialogues=1)
    injected = tmp_path / "injected"

    assert run(capfd, "inject", str(tmp_path / "tiny"), "-o", str(injected), "-j", "1", "--shards", "2")[0] == 0
    assert sorted(p.name for p in (injected / "audio").iterdir()) == ["0000", "0001"]
    assert run(capfd, "corpus", "convert", str(injected), "-o", str(tmp_path / "tar"), "--format", "webdataset")[0] == 0
    assert [p.name for p in sorted((tmp_path / "tar").iterdir())] == ["00000-of-00001.tar", "corpus.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "error: -c {path}: no such file, expected a downstream config\n"),
        ("a: [1]\n  - 2\n", "error: {path}: expected YAML: "),
        ("- 1\n", "error: {path}: expected a mapping, got list\n"),
    ],
)
def test_a_downstream_config_that_cannot_be_read_is_told_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_text(content)

    status, _, err = run(capfd, "run-downstream", "-m", "train", "-n", "x", "-u", "fbank", "-c", str(path))

    assert status == 1
    assert err.startswith(message.format(path=path))
    assert err.count("\n") == 1
