import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import zero_shot_emotion
from generation.weak_labels.recordings import open_source
from zero_shot_emotion.corpus import CARD, MANIFEST, Corpus, CorpusError
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.corpus.unfinished import MARK, refuse_unfinished, unfinished
from zero_shot_emotion.predict import find_sounds

TASKS = Path(__file__).with_name("stage_tasks.py")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder in which a stage was killed, and the command that was."""
    out = tmp_path_factory.mktemp("killed") / "out"
    code = (
        "import sys; import stage_tasks as tasks\n"
        "tasks.run_stage(tasks.texts(40), tasks.Poison(('u00009',)), sys.argv[1], name='speak', card=tasks.CARD)\n"
    )
    command = [sys.executable, "-c", code, str(out)]
    path = os.pathsep.join([str(TASKS.parent), str(Path(zero_shot_emotion.__file__).parents[1])])
    done = subprocess.run(command, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == -signal.SIGKILL
    return out, command


@pytest.mark.parametrize(
    "read",
    [
        Corpus.load,
        open_corpus,
        lambda folder: open_corpus(f"audiofolder:{folder}"),
        lambda folder: open_source(str(folder)),
        lambda folder: find_sounds(str(folder)),
    ],
    ids=["corpus", "anything", "audiofolder", "recordings", "sounds"],
)
def test_half_a_corpus_is_never_read_as_a_whole(killed, read):
    out, command = killed

    with pytest.raises(CorpusError) as error:
        read(out)

    assert str(error.value) == (
        f"{out}: the stage 'speak' has not finished here. If it is not running, the same command goes on where it "
        f"stopped: {shlex.join(command)}"
    )


def test_a_manifest_without_its_card_is_half_made_too(killed, tmp_path):
    (tmp_path / MARK).write_bytes((killed[0] / MARK).read_bytes())
    (tmp_path / MANIFEST).write_text('{"id": "a"}\n')

    with pytest.raises(CorpusError, match="the stage 'speak' has not finished here"):
        open_corpus(tmp_path)
    (tmp_path / CARD).write_text("{}")  # a kill right after the last file leaves the mark
    assert len(open_corpus(tmp_path)) == 1


@pytest.mark.parametrize(
    ("program", "told"),
    [("/usr/bin/zero-shot-emotion", "zero-shot-emotion speak 'my text'"), ("-c", "python -c code speak 'my text'")],
)
def test_the_command_is_told_as_one_would_type_it(tmp_path, monkeypatch, program, told):
    monkeypatch.setattr(sys, "argv", [program, "speak", "my text"])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "code", "speak", "my text"])

    with pytest.raises(KeyboardInterrupt), unfinished(tmp_path, "speak"):
        raise KeyboardInterrupt

    with pytest.raises(CorpusError, match=f"goes on where it stopped: {told}$"):
        refuse_unfinished(tmp_path)
    with unfinished(tmp_path, "speak"):
        pass
    assert list(tmp_path.iterdir()) == []
    refuse_unfinished(tmp_path)
