import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import zero_shot_emotion
from zero_shot_emotion.corpus import CARD, MANIFEST, Corpus, CorpusError, Utterance, stage, work
from zero_shot_emotion.corpus.stage import FAILURES, JOURNAL, StageError, dask_executor, local_executor, run_stage

sys.path.insert(0, str(Path(__file__).parent))  # for spawned workers too
import stage_tasks as tasks

COUNT = 20
OTHER_RUN = (
    "{} holds the output of another run (its config or its input differ): "
    "choose another folder, or throw that one away with --overwrite"
)


def run(out, task=tasks.speak, items=COUNT, card=tasks.CARD, **options):
    return run_stage(tasks.texts(items), task, out, name="speak", card=card, **options)


@contextmanager
def on_dask(workers):
    """The workers of a cluster of processes on this machine."""
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),  # a death is told of at once
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
        dask_executor(client) as executor,
    ):
        yield executor


class Interrupting(Executor):
    """Hands all on to another executor until it is interrupted."""

    def __init__(self, executor, after):
        self._executor, self._left = executor, after

    def submit(self, fn, /, *args, **kwargs):
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        future = self._executor.submit(fn, *args, **kwargs)
        if self._left % 2:
            future.result()
        return future


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def whole(tmp_path):
    """What an undisturbed run writes."""
    run(tmp_path / "whole")
    return contents(tmp_path / "whole")


class Shuffled(Executor):
    """Works in the calling process, and finishes in another order than it was asked."""

    def __init__(self):
        self._held = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self._held.append(lambda: future.set_result(fn(*args, **kwargs)))
        if len(self._held) == 7:
            while self._held:
                self._held.pop()()
        return future


def test_the_output_is_a_corpus_and_says_how_it_was_made(tmp_path, whole):
    report = run(tmp_path / "out")

    assert contents(tmp_path / "out") == whole
    assert sorted(whole) == [*(f"audio/u{i:05d}.wav" for i in range(COUNT)), CARD, MANIFEST]
    corpus = Corpus.load(tmp_path / "out")
    assert report.corpus == corpus
    assert corpus.name == "spoken"
    assert [u.id for u in corpus] == [u.id for u in tasks.texts(COUNT)]
    assert all(corpus.audio_path(u).is_file() for u in corpus)
    assert corpus.utterances[3].extra == {"frequency": 0.103, "note": "ä\u2028"}
    card = json.loads(whole[CARD])
    assert card.pop("fingerprint") == report.card["fingerprint"]
    assert card == {**tasks.CARD, "utterances": COUNT, "counts": {"ang": 5, "hap": 5, "neu": 5, "sad": 5}}
    assert report.summary().splitlines()[0] == "speak: 20 utterances (ang 5, hap 5, neu 5, sad 5)"
    assert "failures" not in report.summary()


@pytest.mark.parametrize(
    "make",
    [
        lambda: local_executor(1),
        lambda: local_executor(2),
        lambda: ThreadPoolExecutor(4),
        lambda: on_dask(1),
        lambda: on_dask(2),
    ],
    ids=["inline", "processes", "threads", "dask, one worker", "dask, two workers"],
)
def test_the_bytes_do_not_depend_on_the_executor(tmp_path, whole, make):
    with make() as executor:
        run(tmp_path / "out", executor=executor)

    assert contents(tmp_path / "out") == whole


def test_the_bytes_do_not_depend_on_the_order_of_completion(tmp_path, whole):
    run(tmp_path / "out", items=21, executor=Shuffled())
    run(tmp_path / "in order", items=21)

    assert contents(tmp_path / "out") == contents(tmp_path / "in order")


def test_a_finished_folder_is_left_as_it_is(tmp_path, whole):
    def never(utterance):
        raise AssertionError

    report = run(tmp_path / "whole", never)

    assert contents(tmp_path / "whole") == whole
    assert report.resumed == COUNT
    assert report.card == json.loads(whole[CARD])
    assert ", 20 items were there already" in report.summary()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_and_its_workers_end(tmp_path, workers):
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONPATH": str(Path(zero_shot_emotion.__file__).parents[1])}
    command = [sys.executable, tasks.__file__, str(out), str(workers), "60"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (out / JOURNAL).exists():
            time.sleep(0.01)
        while process.poll() is None and (out / JOURNAL).read_bytes().count(b"\n") < 15:
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=300)  # the end of its output is the end of all who could write to it

    assert process.returncode != 0
    assert not (out / CARD).exists()
    report = run(out, items=60)
    assert 14 <= report.resumed < 60
    run(tmp_path / "whole", items=60)
    assert contents(out) == contents(tmp_path / "whole")


def _killed_at_file_operation(number, folder, work):
    """Do some work in a forked process that is killed before it opens, renames or removes a file once more.

    Returns:
        whether it was killed.
    """
    pid = os.fork()
    if pid == 0:
        left = number

        def count(event, arguments):
            nonlocal left
            if event in ("open", "os.rename", "os.remove") and str(folder) in str(arguments[0]):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1] == signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize(
    "options", [{}, {"overwrite": True}, {"skip_errors": True, "task": tasks.Failing(("u00001",))}]
)
def test_a_run_may_be_killed_before_any_file_operation(tmp_path, options):
    run(tmp_path / "whole", items=3)
    kills = 0
    while True:
        out = tmp_path / str(kills)
        if options.get("overwrite"):
            run(out, items=2, card={**tasks.CARD, "config": "another"})
        if not _killed_at_file_operation(kills, out, lambda out=out: run(out, items=3, **options)):
            break
        kills += 1
        assert (out / MANIFEST).exists() or not (out / CARD).exists()
        if not (out / CARD).exists() or options.get("overwrite"):  # else nothing is left to do
            run(out, items=3, overwrite=bool(options.get("overwrite")))
            assert contents(out) == contents(tmp_path / "whole")
        else:
            run(out, items=3)
            assert not (out / JOURNAL).exists()
    assert kills > 10


@pytest.mark.parametrize("cut", [1, 5, 40], ids=["line break", "some bytes", "more bytes"])
def test_a_half_written_journal_is_read_up_to_its_last_whole_line(tmp_path, whole, cut):
    out = tmp_path / "out"
    with pytest.raises(StageError):
        run(out, tasks.Failing(("u00003",)))
    (out / JOURNAL).write_bytes((out / JOURNAL).read_bytes()[:-cut])

    with pytest.raises(StageError):  # redoes the last item and adds to the journal
        run(out, tasks.Failing(("u00003",)))
    report = run(out)

    assert report.resumed == COUNT - 1
    assert contents(out) == whole


@pytest.mark.parametrize("header", [b"", b'{"fingerp'])
def test_a_half_written_header_is_written_anew(tmp_path, whole, header):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / JOURNAL).write_bytes(header)

    run(tmp_path / "out")

    assert contents(tmp_path / "out") == whole


def test_half_written_files_of_a_killed_run_are_removed(tmp_path, whole):
    out = tmp_path / "out"
    with pytest.raises(StageError):
        run(out, tasks.Failing(("u00003",)))
    for name in (".metadata.jsonl.0123abcd.part", "audio/.u00003.wav.0123abcd.part"):
        (out / name).write_bytes(b"RIFF")

    run(out)

    assert contents(out) == whole


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_the_workers_too_and_leaves_what_was_finished(tmp_path, whole):
    """They would print a traceback each, and what they have in hand may take hours."""
    out, mark = tmp_path / "out", tmp_path / "mark"
    code = (
        "import sys; from pathlib import Path; import stage_tasks as tasks\n"
        "from zero_shot_emotion.corpus.stage import local_executor, run_stage\n"
        "out, mark = sys.argv[1:]\n"
        "with local_executor(2) as executor:\n"
        f"    run_stage(tasks.texts({COUNT}), tasks.Hanging('u00009', Path(mark)), out, name='speak', card=tasks.CARD, "
        "executor=executor)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(zero_shot_emotion.__file__).parents[1])])
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out), str(mark)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    ) as process:
        while process.poll() is None and not (
            mark.exists() and mark.read_text() and (out / JOURNAL).read_bytes().count(b"\n") > 3
        ):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        told, _ = process.communicate(timeout=300)  # the end of its output is the end of the worker that hangs
    text = told.decode()
    assert text.count("Traceback") == 1
    assert text.rstrip().endswith("KeyboardInterrupt")

    report = run(out)
    assert report.resumed >= 3
    assert contents(out) == whole


def test_one_failing_item_does_not_stop_the_others(tmp_path, whole):
    out = tmp_path / "out"

    with pytest.raises(StageError) as error:
        run(out, tasks.Failing(("u00003", "u00007")))

    assert str(error.value) == (
        "speak: 2 of 20 items failed: 2 x ValueError: no voice (first: u00003). What succeeded is kept in "
        f"{out}; mend the cause and run again, or leave them out with --skip-errors"
    )
    assert not (out / CARD).exists()
    assert not (out / "audio" / "u00003.wav").exists()
    report = run(out)
    assert report.resumed == COUNT - 2
    assert contents(out) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_failed_items_can_be_left_out_and_are_listed(tmp_path, workers):
    out = tmp_path / "out"
    failures = {"u00003": "ValueError: no voice", "u00007": "ValueError: no voice"}

    with local_executor(workers) as executor:
        report = run(out, tasks.Failing(("u00007", "u00003")), skip_errors=True, executor=executor)

    assert report.failures == failures
    assert f"failures  2, listed in {out / FAILURES}: 2 x ValueError: no voice (first: u00003)" in report.summary()
    assert (out / FAILURES).read_text().splitlines() == [
        '{"id": "u00003", "error": "ValueError: no voice"}',
        '{"id": "u00007", "error": "ValueError: no voice"}',
    ]
    assert report.card["failures"] == 2
    assert report.card["utterances"] == COUNT - 2
    corpus = Corpus.load(out)
    assert [u.id for u in corpus] == [u.id for u in tasks.texts(COUNT) if u.id not in failures]
    assert {p.stem for p in (out / "audio").iterdir()} == {u.id for u in corpus}

    assert run(out, skip_errors=True).failures == failures, "a finished folder still tells"


def test_the_commonest_reasons_come_first(tmp_path):
    def fail(utterance):
        number = int(utterance.id[1:])
        raise ValueError(f"reason {min(number // 4, 4) if number < 18 else number}")

    with pytest.raises(StageError) as error:
        run(tmp_path / "out", fail)

    assert (
        "20 of 20 items failed: 4 x ValueError: reason 0 (first: u00000); 4 x ValueError: reason 1 (first: u00004); "
        "4 x ValueError: reason 2 (first: u00008); and 4 other reasons."
    ) in str(error.value)


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("change", ["config", "input"])
def test_a_folder_of_another_run_is_refused_or_overwritten(tmp_path, whole, change, finished):
    out = tmp_path / "out"
    other = {"card": {**tasks.CARD, "config": "another"}} if change == "config" else {"items": COUNT + 1}
    try:
        run(out, tasks.speak if finished else tasks.Failing(("u00003",)), **other)
    except StageError:
        assert not finished
    before = contents(out)

    with pytest.raises(StageError) as error:
        run(out)

    assert str(error.value) == OTHER_RUN.format(out)
    assert contents(out) == before
    run(out, overwrite=True)
    assert contents(out) == whole


def test_a_corpus_that_no_stage_wrote_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / MANIFEST).write_text('{"file_name": "a.wav"}\n')
    Corpus("ours", tmp_path, (Utterance(id="a"),)).save(tmp_path / "ours")

    for folder in ("theirs", "ours"):
        before = contents(tmp_path / folder)
        with pytest.raises(StageError) as error:
            run(tmp_path / folder)
        assert str(error.value) == OTHER_RUN.format(tmp_path / folder)
        assert contents(tmp_path / folder) == before


@pytest.mark.parametrize("make", [lambda: local_executor(2), lambda: on_dask(2)], ids=["local", "dask"])
def test_the_work_of_a_worker_that_dies_is_done_by_another(tmp_path, whole, make):
    task, out = tasks.DyingOnce("u00007", tmp_path / "mark"), tmp_path / "out"

    with make() as executor:
        run(out, task, executor=executor)

    assert (tmp_path / "mark").exists()
    assert contents(out) == whole


@pytest.mark.parametrize("make", [lambda: local_executor(2), lambda: on_dask(2)], ids=["local", "dask"])
def test_an_item_that_ends_every_worker_is_a_failure_and_stops_no_other(tmp_path, whole, make):
    out = tmp_path / "out"

    with make() as executor, pytest.raises(StageError) as error:
        run(out, tasks.Poison(("u00011",)), executor=executor)

    assert str(error.value).startswith(
        "speak: 1 of 20 items failed: 1 x WorkerDied: the item ends its worker process, alone too (first: u00011)."
    )
    report = run(out)  # with a task that is mended
    assert report.resumed == COUNT - 1
    assert contents(out) == whole


def test_workers_that_die_whatever_they_do_stop_the_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "DEATHS", 2)
    all_ids = tuple(u.id for u in tasks.texts(COUNT))

    with local_executor(2) as executor, pytest.raises(StageError) as error:
        run(tmp_path / "out", tasks.Poison(all_ids), executor=executor)

    assert str(error.value).startswith(
        "speak: 2 worker processes died one after the other, whatever they did (last: 'u"
    )
    assert str(error.value).endswith(f"kept in {tmp_path / 'out'}; run the same command again to go on")


def test_a_pool_that_cannot_replace_its_workers_stops_the_stage_and_the_next_run_completes(tmp_path, whole):
    task, out = tasks.DyingOnce("u00007", tmp_path / "mark"), tmp_path / "out"
    spawn = multiprocessing.get_context("spawn")

    with ProcessPoolExecutor(2, mp_context=spawn) as executor, pytest.raises(StageError) as error:
        run(out, task, executor=executor)

    assert str(error.value).startswith("speak: a worker process died (")
    assert str(error.value).endswith(f"What was finished is kept in {out}; run the same command again to go on")
    assert not (out / CARD).exists()
    run(out, task)
    assert contents(out) == whole


def test_a_task_that_cannot_be_sent_is_told_of(tmp_path):
    with local_executor(2) as executor, pytest.raises(StageError) as error:
        run(tmp_path / "out", lambda utterance: [], executor=executor)

    assert str(error.value).startswith("speak: the workers cannot do the work (")


def test_a_cluster_run_that_is_given_up_goes_on(tmp_path, whole):
    out = tmp_path / "out"
    with on_dask(2) as executor:
        wrapped = Interrupting(executor, after=10)
        with pytest.raises(KeyboardInterrupt):
            run(out, executor=wrapped)
    assert not (out / CARD).exists()

    with on_dask(1) as executor:
        report = run(out, executor=executor)

    assert 0 < report.resumed < COUNT
    assert contents(out) == whole


@pytest.mark.parametrize("shards", [1, 3, 30])
def test_audio_goes_to_as_many_folders_as_are_asked_for(tmp_path, whole, shards):
    report = run(tmp_path / "out", shards=shards)

    folders = {path.parent.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")}
    if shards == 1:
        assert contents(tmp_path / "out") == whole
    if shards == 3:
        assert folders == {"audio/0000", "audio/0001", "audio/0002"}
        assert [u.file_name for u in report.corpus][6:8] == ["audio/0000/u00006.wav", "audio/0001/u00007.wav"]
        assert report.card["shards"] == 3
    if shards == 30:
        assert len(folders) == COUNT
    for utterance in report.corpus:
        assert report.corpus.audio_path(utterance).read_bytes() == whole[f"audio/{utterance.id}.wav"]


def test_many_items_are_spread_of_themselves_and_half_written_files_are_removed_there_too(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "FILES", 8)
    out = tmp_path / "out"
    with pytest.raises(StageError):
        run(out, tasks.Failing(("u00003",)))
    (out / "audio" / "0002" / ".u00019.wav.0123abcd.part").write_bytes(b"RIFF")

    run(out)

    assert sorted(p.name for p in (out / "audio").iterdir()) == ["0000", "0001", "0002"]
    assert sum(len(list(p.iterdir())) for p in (out / "audio").iterdir()) == COUNT


def test_no_shards_is_refused(tmp_path):
    with pytest.raises(StageError) as error:
        run(tmp_path / "out", shards=0)

    assert str(error.value) == "speak: shards: got 0, expected at least 1"


def test_an_item_may_become_any_number_of_utterances(tmp_path):
    report = run(tmp_path / "out", tasks.split, items=7)

    ids = ["u00001-0", "u00002-0", "u00002-1", "u00004-0", "u00005-0", "u00005-1"]
    assert [u.id for u in report.corpus] == ids
    assert sorted(p.stem for p in (tmp_path / "out" / "audio").iterdir()) == ids


def test_text_stays_text(tmp_path):
    report = run(tmp_path / "out", tasks.trivial)

    assert list(report.corpus) == tasks.texts(COUNT)
    assert sorted(contents(tmp_path / "out")) == [CARD, MANIFEST]


def test_nothing_to_do_is_an_empty_corpus(tmp_path):
    assert len(run(tmp_path / "out", items=0).corpus) == 0


def test_two_utterances_of_one_id_are_refused(tmp_path):
    with pytest.raises(CorpusError) as error:
        run(tmp_path / "out", tasks.same_id)

    assert str(error.value) == f"{tmp_path / 'out'}: the id 'same' occurs twice, expected unique ids"
    assert not (tmp_path / "out" / CARD).exists()
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_two_items_of_one_id_are_refused_before_any_work(tmp_path):
    items = [*tasks.texts(3), *tasks.texts(2)]

    with pytest.raises(StageError) as error:
        run_stage(items, tasks.speak, tmp_path / "out", name="speak", card={})

    assert str(error.value) == "speak: 2 ids occur more than once (first: 'u00000'), expected unique ids"
    assert not (tmp_path / "out").exists()


def test_an_interrupt_keeps_what_is_finished(tmp_path, whole):
    def interrupt(utterance):
        if utterance.id == "u00012":
            raise KeyboardInterrupt
        yield from tasks.speak(utterance)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", interrupt)

    assert run(tmp_path / "out").resumed == 12
    assert contents(tmp_path / "out") == whole
