import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from generation.endpoint import Budget, Endpoint, Patience, Prices
from generation.errors import EndpointError, GenerationError
from generation.generate import generate
from generation.store import RESPONSES
from generation.summary import GenerationReport
from generation.utterances import draw_test_split
from tests.generation.chat_server import (
    EMOTIONS,
    PASSING,
    PATIENCE,
    USELESS,
    ChatServer,
    bad_day,
    completion,
    failure,
    good,
    sentence,
    serving,
    turns,
)
from tests.generation.test_datasheet import sheet_with
from zero_shot_emotion.corpus import CARD, FOUR, LABEL_SETS, MANIFEST, CorpusError, label_set
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.corpus.stage import StageError

QUICK = Patience(attempts=12, wait=0.001, wait_max=0.02)
KEY = "sk-a-secret-that-nobody-may-see"


def run(out: Path, server: ChatServer, utterances: int = 200, **options) -> GenerationReport:
    names = set(Endpoint.model_fields) & set(options)
    settings = {"concurrency": 8, "timeout": 60, "patience": QUICK, **{name: options.pop(name) for name in names}}
    endpoint = Endpoint(base_url=server.url, model="m", **settings)
    return generate(out, labels=FOUR, utterances=utterances, endpoint=endpoint, **options)


def corpus_bytes(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (MANIFEST, CARD)}


def stored(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / RESPONSES).read_text().splitlines()]


def seed_of(key: str) -> int:
    return int(key[:7], 16)


@pytest.fixture(name="report", scope="module")
def _report(tmp_path_factory: pytest.TempPathFactory) -> GenerationReport:
    with serving(good) as server:
        return run(tmp_path_factory.mktemp("good") / "out", server)


def test_as_many_utterances_as_asked_for_balanced_over_the_classes(report: GenerationReport) -> None:
    corpus = report.corpus

    assert len(corpus) == 200
    assert set(corpus.counts().values()) == {50}
    assert len({u.extra["scenario"] for u in corpus}) == 8
    assert report.card["stopped_by"] == "complete"


def test_utterances_have_the_columns_of_the_shipped_provider_and_say_where_they_come_from(
    report: GenerationReport, tmp_path: Path
) -> None:
    ours, shipped = (
        report.corpus.utterances[0],
        generate(tmp_path / "s", labels=FOUR, utterances=8).corpus.utterances[0],
    )

    assert set(ours.model_dump()) == {*shipped.model_dump(), "model", "request"}
    assert ours.extra["model"] == "m"
    assert ours.extra["request"] in {response["key"] for response in stored(report.out)}
    assert ours.id.startswith(f"iemocap-{ours.extra['scenario']}-{ours.extra['request']}-")
    assert ours.speaker in (f"{ours.dialogue}-A", f"{ours.dialogue}-B")


def test_remainders_go_to_the_first_classes(tmp_path: Path) -> None:
    with serving(good) as server:
        assert run(tmp_path / "out", server, 10).corpus.counts() == {"ang": 2, "hap": 3, "neu": 3, "sad": 2}


def test_the_card_tells_what_it_took(report: GenerationReport) -> None:
    card = report.card
    answers = card["answers"]

    assert answers == {"asked": len(stored(report.out)), "dialogue": len(stored(report.out))}
    assert sum(card["drops"].values()) + 200 == card["turns"] == 9 * answers["asked"]
    assert set(card["drops"]) == {"emotion fru", "over the class balance"}
    assert card["yield"] == round(200 / card["turns"], 4)
    assert card["tokens"]["prompt"] == 100 * answers["asked"]
    assert card["tokens"]["per_utterance"] == round(150 * answers["asked"] / 200, 1)
    assert card["sampling"]["model"] == "m"
    assert len(card["prompt"]["sha256"]) == 64
    assert card["cost"] is None


def test_the_summary_fits_on_one_screen(report: GenerationReport) -> None:
    lines = report.summary().splitlines()

    assert lines[0] == "generate: 200 of 200 utterances (ang 50, hap 50, neu 50, sad 50)"
    assert len(lines) <= 12
    assert any(line.startswith("  ended by  complete") for line in lines)


def test_the_order_in_which_answers_come_changes_nothing(tmp_path: Path) -> None:
    def late(body, attempt):
        return completion(
            json.dumps({"turns": turns(body["seed"])}), delay=random.Random(f"{body['seed']} late").uniform(0, 0.05)
        )

    contents = []
    for name, script in (("prompt", good), ("late", late)):
        with serving(script) as server:
            run(tmp_path / name, server)
        contents.append((tmp_path / name / MANIFEST).read_bytes())

    assert contents[0] == contents[1]


def test_prompts_ask_for_what_is_missing_and_show_what_exists(tmp_path: Path) -> None:
    def seldom_sad(body, attempt):
        lines = [{**t, "emotion": t["emotion"] if t["emotion"] != "sad" else "happy"} for t in turns(body["seed"])]
        wants_sad = {emotion for emotion, _ in _planned(body)} == {"sad"}
        return completion(json.dumps({"turns": [{**t, "emotion": "sad"} for t in lines] if wants_sad else lines}))

    with serving(seldom_sad) as server:
        report = run(tmp_path / "out", server, 80, concurrency=2)

    assert report.corpus.counts()["sad"] == 20
    assert {body["response_format"]["json_schema"]["name"] for body in server.bodies} == {"dialogue"}
    assert {emotion for body in server.bodies[:3] for emotion, _ in _planned(body)} == set(EMOTIONS[:4])
    assert {emotion for emotion, _ in _planned(server.bodies[-1])} == {"sad"}
    last = server.bodies[-1]["messages"][0]["content"]
    known = {u.text for u in report.corpus}
    shown = [line[2:] for line in last.partition("exist already.")[2].splitlines() if line.startswith("- ")]
    assert 1 <= len(shown) <= 8
    assert set(shown) <= known


def _planned(body: dict) -> list[tuple[str, int]]:
    """The emotion and the number of words of each turn that a prompt asks for."""
    lines = re.findall(r"^\d+\. (?:[A-Z], )?(\w+), about (\d+) words?$", body["messages"][0]["content"], re.MULTILINE)
    return [(emotion, int(words)) for emotion, words in lines]


def test_what_is_planned_is_asked_for_and_what_comes_counts_as_it_labels_itself(tmp_path: Path) -> None:
    def obedient(body, attempt):
        rng = random.Random(body["seed"])
        lines = [{"speaker": "A", "emotion": emotion, "text": sentence(rng)} for emotion, _ in _planned(body)]
        return completion(json.dumps({"turns": lines}))

    def contrary(body, attempt):
        return completion(json.dumps({"turns": turns(body["seed"])}))

    reports = {}
    for script in (obedient, contrary):
        with serving(script) as server:
            reports[script] = run(tmp_path / script.__name__, server, 120, concurrency=1)
    written = {t["text"]: t["emotion"][:3] for r in stored(tmp_path / "contrary") for t in turns(seed_of(r["key"]))}

    assert reports[obedient].card["yield"] > 0.85
    assert reports[obedient].card["yield"] > reports[contrary].card["yield"]
    assert {u.text: u.label for u in reports[contrary].corpus} == {
        u.text: written[u.text] for u in reports[contrary].corpus
    }


def test_the_corpus_of_a_datasheet_of_ones_own_knows_what_was_published(tmp_path: Path) -> None:
    labels = label_set("neu,ang,fru")
    sheet = sheet_with(tmp_path, name="mine", utterance_seconds={"min": 0.5, "mean": 3, "max": 9}, words_per_second=2.5)
    with serving(good) as server:
        endpoint = Endpoint(base_url=server.url, model="m", timeout=60, patience=QUICK)
        report = generate(tmp_path / "out", datasheet=sheet, labels=labels, utterances=30, endpoint=endpoint)

    assert report.corpus.counts() == {"neu": 10, "ang": 10, "fru": 10}
    assert report.card["published"] == {"seconds": [0.5, 2.67, 9], "per_second": 2.5, "unit": "words"}
    assert {emotion for body in server.bodies for emotion, _ in _planned(body)} == {"neutral", "angry", "frustrated"}


@pytest.mark.parametrize(("utterances", "ratio", "turns_each"), [(200, 0.2, 9), (37, 0.5, 9), (12, 0.1, 2)])
def test_the_test_split_is_the_one_that_is_drawn_from_the_whole_corpus(
    tmp_path: Path, utterances: int, ratio: float, turns_each: int
) -> None:
    def script(body, attempt):
        return completion(json.dumps({"turns": turns(body["seed"], turns_each)}))

    with serving(script) as server:
        corpus = run(tmp_path / "out", server, utterances, test_ratio=ratio, concurrency=1).corpus

    assert {u.id: u.split for u in corpus} == draw_test_split(corpus.utterances, ratio, 0)
    assert {u.split for u in corpus} == {"train", "test"}


def test_one_dialogue_cannot_be_parted(tmp_path: Path) -> None:
    def script(body, attempt):
        return completion(json.dumps({"turns": turns(1, 40)}))

    with (
        serving(script) as server,
        pytest.raises(GenerationError, match=r"--test-ratio 0.3: got one dialogue, expected at least two to be parted"),
    ):
        run(tmp_path / "out", server, 8, test_ratio=0.3, concurrency=1)


def test_where_nothing_came_back_no_split_is_drawn(tmp_path: Path) -> None:
    with (
        serving(lambda *_: completion("I cannot help with that.")) as server,
        pytest.raises(GenerationError, match="nothing that the model wrote could be used"),
    ):
        run(tmp_path / "out", server, test_ratio=0.2)


def test_a_model_with_keys_of_its_own_loses_nothing(tmp_path: Path) -> None:
    def own_keys(body, attempt):
        lines = [{"role": t["speaker"], "label": t["emotion"], "utterance": t["text"]} for t in turns(body["seed"])]
        doubtful = {**lines[0], "category": "happy" if lines[0]["label"] != "happy" else "sad"}
        return completion(json.dumps({"conversation": [doubtful, *lines[1:]]}))

    with serving(own_keys) as server:
        report = run(tmp_path / "out", server, 60, concurrency=1)

    assert len(report.corpus) == 60
    assert report.card["drops"]["more than one label"] == report.card["answers"]["dialogue"]
    assert report.card["turns"] == 9 * report.card["answers"]["dialogue"]
    assert not {u.text for u in report.corpus} & {turns(seed_of(r["key"]))[0]["text"] for r in stored(report.out)}


@pytest.mark.parametrize("prompt", ["seed", "label-only"])
def test_the_other_prompts_work_too(tmp_path: Path, prompt: str) -> None:
    with serving(good) as server:
        report = run(tmp_path / "out", server, 40, prompt=prompt)

    assert len(report.corpus) == 40
    assert not _planned(server.bodies[0])


def test_in_another_language_lengths_are_counted_in_its_signs(tmp_path: Path) -> None:
    with serving(good) as server:
        report = run(tmp_path / "out", server, 20, datasheet="multilingual", language="cmn")

    assert {u.language for u in report.corpus} == {"cmn"}
    assert "neutral, about " in server.bodies[0]["messages"][0]["content"]
    assert re.search(r"about \d+ characters\n", server.bodies[0]["messages"][0]["content"])


def test_a_model_that_writes_nothing_of_use_is_an_error_that_tells_why(tmp_path: Path) -> None:
    with (
        serving(lambda *_: completion("I cannot help with that.")) as server,
        pytest.raises(GenerationError, match=r"nothing that the model wrote could be used.\n(.|\n)*refusal 6\d"),
    ):
        run(tmp_path / "out", server)


def test_repeated_lines_enter_the_corpus_once(tmp_path: Path) -> None:
    def repetitive(body, attempt):
        rng = random.Random(body["seed"])
        lines = turns(body["seed"]) + turns(rng.randint(0, 3))
        lines += [{**t, "text": t["text"].upper() + " Oh"} for t in turns(rng.randint(0, 3))]
        return completion(json.dumps({"turns": lines}))

    with serving(repetitive) as server:
        report = run(tmp_path / "out", server, 300)

    texts = Counter((u.text or "").lower().replace(" oh", "") for u in report.corpus)
    assert max(texts.values()) == 1
    assert report.card["drops"]["duplicate"] > 20
    assert report.card["drops"]["near-duplicate"] > 20


@pytest.fixture(name="bad", scope="module")
def _bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[GenerationReport, ChatServer]:
    with serving(bad_day) as server:
        return run(tmp_path_factory.mktemp("bad") / "out", server, 1000, concurrency=16, timeout=PATIENCE), server


def test_on_a_bad_day_nothing_is_lost_or_duplicated(bad: tuple[GenerationReport, ChatServer]) -> None:
    report, server = bad
    responses = stored(report.out)
    answered = Counter(body["seed"] for body in server.answered)

    assert len(report.corpus) == 1000
    assert set(report.corpus.counts().values()) == {250}
    assert len({u.text for u in report.corpus}) == 1000
    assert len({response["key"] for response in responses}) == len(responses)
    assert {seed_of(response["key"]) for response in responses} == {body["seed"] for body in server.bodies}
    assert all(response.get("body") for response in responses)
    assert (
        max(answered[seed_of(response["key"])] for response in responses) <= 3
    )  # cut or late ones are asked for again
    assert report.card["answers"]["asked"] == len(responses)


def test_a_bad_day_is_told_in_numbers(bad: tuple[GenerationReport, ChatServer]) -> None:
    report, _ = bad
    card = report.card

    assert {"dialogue", "refusal", "empty answer"} <= set(card["answers"])
    texts = Counter(response["body"]["choices"][0]["message"]["content"] for response in stored(report.out))
    ecstatic = sum(count for text, count in texts.items() if "ecstatic" in (text or ""))
    again = any(count > 1 for text, count in texts.items() if '"turns"' in (text or "") and "ecstatic" not in text)
    assert card["drops"].get("label outside the set", 0) == 8 * ecstatic
    assert ("duplicate" in card["drops"]) == again
    assert sum(card["drops"].values()) + 1000 == card["turns"]
    assert {"HTTP 429", "HTTP 500", "timeout", "no connection", "broken answer"} <= set(report.retries)


@pytest.mark.parametrize("reply", USELESS)
def test_useless_answers_are_counted_and_end_the_run(tmp_path: Path, reply) -> None:
    with serving(lambda *_: reply()) as server, suppress(GenerationError):
        run(tmp_path / "out", server, 90)

    card = json.loads((tmp_path / "out" / CARD).read_text())
    assert card["stopped_by"].startswith("no progress: 50 rounds in succession brought nothing")
    assert len(server.bodies) <= 50 + 2 * 8 + 1 + 2


@pytest.mark.parametrize(
    ("budget", "asked"),
    [
        (Budget(requests=7), 7),
        (Budget(prompt_tokens=4000), None),
        (Budget(completion_tokens=6000), None),
        (Budget(money=0.012), None),
    ],
)
def test_a_budget_stops_cleanly_and_is_never_exceeded(tmp_path: Path, budget: Budget, asked: int | None) -> None:
    prices = Prices(prompt=1, completion=2)
    with serving(good) as server:
        report = run(tmp_path / "out", server, 900, budget=budget, prices=prices, concurrency=4)
        tokens = report.card["tokens"]

        (name, limit), *_ = budget.model_dump(exclude_none=True).items()
        spent = {
            "requests": report.card["answers"]["asked"],
            "prompt_tokens": tokens["prompt"],
            "completion_tokens": tokens["completion"],
            "money": report.card["cost"],
        }
        assert 0 < spent[name] <= limit
        assert asked in (None, len(server.bodies))
        assert report.card["stopped_by"] == f"budget: {name} ({limit:g})"
        assert 0 < len(report.corpus) < 900
        assert report.card["cost"] == pytest.approx(200e-6 * len(server.bodies))

        again = run(tmp_path / "out", server, 900, budget=budget, prices=prices, concurrency=4)
        assert again.card == report.card
        assert len(server.bodies) == report.card["answers"]["asked"]


def test_a_larger_budget_goes_on_where_the_smaller_one_ended(tmp_path: Path) -> None:
    with serving(good) as server:
        run(tmp_path / "out", server, budget=Budget(requests=10))
        run(tmp_path / "out", server)
        asked = len(server.bodies)
        run(tmp_path / "whole", server)

    assert corpus_bytes(tmp_path / "out") == corpus_bytes(tmp_path / "whole")
    assert asked == len(server.bodies) - asked


def test_tokens_that_an_endpoint_does_not_tell_are_estimated(tmp_path: Path) -> None:
    def silent(body, attempt):
        answer = json.loads(good(body).body)
        del answer["usage"]
        return type(good(body))(body=json.dumps(answer))

    with serving(silent) as server:
        tokens = run(tmp_path / "out", server, 20).card["tokens"]

    assert tokens["answers_estimated"] == len(server.bodies)
    assert 200 * len(server.bodies) < tokens["prompt"] < 600 * len(server.bodies)


def test_a_finished_corpus_is_not_made_again(tmp_path: Path) -> None:
    with serving(good) as server:
        first = run(tmp_path / "out", server)
    before = corpus_bytes(tmp_path / "out")
    again = run(tmp_path / "out", server)  # nobody is there to be asked

    assert corpus_bytes(tmp_path / "out") == before
    assert again.card == first.card
    assert again.resumed == first.card["answers"]["asked"]


def test_another_run_in_the_same_folder_is_refused_or_uses_the_answers_again(tmp_path: Path) -> None:
    with serving(good) as server:
        run(tmp_path / "out", server)
        asked = len(server.bodies)
        with pytest.raises(
            StageError, match=r"holds the output of another run .* the answers in raw/responses.jsonl are"
        ):
            run(tmp_path / "out", server, 100)
        run(tmp_path / "out", server, 100, overwrite=True)
        assert len(server.bodies) == asked
        report = run(tmp_path / "out", server, 400, overwrite=True)

    assert len(report.corpus) == 400
    assert report.resumed == asked
    assert len(server.bodies) == report.card["answers"]["asked"]


def test_a_manifest_that_a_kill_left_without_its_card_is_ours(tmp_path: Path) -> None:
    with serving(good) as server:
        run(tmp_path / "out", server)
        before = corpus_bytes(tmp_path / "out")
        (tmp_path / "out" / CARD).unlink()
        run(tmp_path / "out", server)

    assert corpus_bytes(tmp_path / "out") == before


def test_answers_are_parsed_anew_without_being_paid_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(good) as server:
        run(tmp_path / "out", server)
        asked = len(server.bodies)
        monkeypatch.setattr(
            "generation.response.CODES", {"happy": "sad", "sad": "hap", "angry": "ang", "neutral": "neu"}
        )
        report = run(tmp_path / "out", server, 160, overwrite=True)

    assert len(report.corpus) == 160
    assert len(server.bodies) == asked


def test_a_refusing_endpoint_ends_the_run_and_keeps_what_it_gave(tmp_path: Path) -> None:
    fine = iter(range(10))
    with serving(lambda body, attempt: good(body) if next(fine, None) is not None else failure(401)) as server:
        with pytest.raises(EndpointError, match="HTTP 401"):
            run(tmp_path / "out", server, concurrency=2)
        assert len(stored(tmp_path / "out")) == 10
    assert not (tmp_path / "out" / CARD).exists()
    with pytest.raises(CorpusError, match="the stage 'generate' has not finished here"):
        open_corpus(tmp_path / "out")


def test_an_endpoint_that_answered_in_an_earlier_run_gets_all_attempts(tmp_path: Path) -> None:
    with serving(good) as server:
        run(tmp_path / "out", server, budget=Budget(requests=2))
    with (
        serving(lambda _, attempt: failure(500, "busy")) as server,
        pytest.raises(EndpointError, match="no answer, and"),
    ):
        run(tmp_path / "out", server, concurrency=1)

    assert server.bodies.count(server.bodies[0]) == QUICK.attempts


def test_a_request_that_never_gets_an_answer_does_not_stop_the_others(tmp_path: Path) -> None:
    def script(body, attempt):
        return failure(500, "poison") if body["seed"] % 7 == 0 else good(body)

    patience = Patience(attempts=4, wait=0.02, wait_max=0.05)
    with serving(script) as server:
        report = run(tmp_path / "out", server, patience=patience)
        failed = [response for response in stored(tmp_path / "out") if response["failure"]]
        bodies = len(server.bodies)
        (tmp_path / "out" / CARD).unlink()
        run(tmp_path / "out", server, patience=patience)

    assert len(report.corpus) == 200
    assert failed
    assert report.card["answers"]["failed"] == len(failed)
    assert failed[0]["failure"] == "HTTP 500: poison"
    assert len(server.bodies) == bodies


def test_the_key_is_in_no_file_and_on_no_screen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def indiscreet(body, attempt):
        if attempt == 0:
            return failure(500, f"who uses {KEY}?")
        lines = turns(body["seed"])
        lines[0]["text"] += f" Your key is {KEY}."
        return completion(json.dumps({"turns": lines}))

    with serving(indiscreet) as server:
        print(run(tmp_path / "out", server, 40).summary())
        assert server.authorizations == {f"Bearer {KEY}"}
    with serving(lambda *_: failure(401, f"{KEY} is wrong")) as server, pytest.raises(EndpointError) as error:
        run(tmp_path / "other", server, 40)

    shown = "".join(capfd.readouterr()) + caplog.text + repr(error.value)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in shown
    assert len(written) >= 4
    assert not any(KEY.encode() in content for content in written)


def test_the_seed_works_prompt_is_answered_in_bracketed_lines(tmp_path: Path) -> None:
    def lines(body, attempt):
        assert "response_format" not in body
        said = [f"**{t['speaker']}:** {t['text']} [{t['emotion'].capitalize()}]" for t in turns(body["seed"])]
        return completion("\n\n".join(["Here it is:", *said]))

    with serving(lines) as server:
        report = run(tmp_path / "out", server, prompt="seed")

    assert len(report.corpus) == 200
    assert not [u.text for u in report.corpus if set("*:[]") & set(u.text or "")]
    assert report.card["prompt"]["template"] == "seed"


def test_answers_are_parsed_again_without_asking(tmp_path: Path) -> None:
    with serving(good) as server:
        run(tmp_path / "out", server)
        before, asked = corpus_bytes(tmp_path / "out"), len(server.bodies)
        (tmp_path / "out" / MANIFEST).unlink()
        again = {"overwrite": True, "budget": Budget(requests=len(stored(tmp_path / "out")))}
        report = run(tmp_path / "out", server, **again)
        after = corpus_bytes(tmp_path / "out")
        more = run(tmp_path / "out", server, 400, **again)

        assert len(server.bodies) == asked
    assert report.resumed == len(stored(tmp_path / "out"))
    assert after == before
    assert 200 < len(more.corpus) < 400
    assert more.card["stopped_by"] == f"budget: requests ({len(stored(tmp_path / 'out'))})"


def test_a_test_split_has_dialogues_of_its_own(tmp_path: Path) -> None:
    with serving(good) as server:
        corpus = run(tmp_path / "out", server, test_ratio=0.2).corpus
    train, test = ({u.dialogue for u in corpus if u.split == name} for name in ("train", "test"))

    assert train
    assert test
    assert not train & test
    assert 0.1 < sum(u.split == "test" for u in corpus) / len(corpus) < 0.3


def test_a_label_set_that_the_datasheet_lacks_is_refused(tmp_path: Path) -> None:
    endpoint = Endpoint(base_url="http://nowhere/v1", model="m")

    with pytest.raises(
        GenerationError, match="datasheet 'iemocap' has no emotion for the class 'con', expected classes"
    ):
        generate(tmp_path, labels=LABEL_SETS["eight"], utterances=80, endpoint=endpoint)


@pytest.mark.parametrize("utterances", [None, 3])
def test_how_many_must_be_told(tmp_path: Path, utterances: int | None) -> None:
    endpoint = Endpoint(base_url="http://nowhere/v1", model="m")

    with pytest.raises(
        GenerationError, match=rf"-n: got {utterances} utterances, expected at least one for each class"
    ):
        generate(tmp_path, labels=FOUR, utterances=utterances, endpoint=endpoint)


def test_a_prompt_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="--prompt: got 'seed' without --model"):
        generate(tmp_path, labels=FOUR, prompt="seed")


def slow_bad_day(body: dict, attempt: int):
    """A bad day without long waits, each answer after some milliseconds, and in the end the same for each request."""
    rng = random.Random(f"{body['seed']} {attempt} slow")
    if rng.random() < 0.3:
        return rng.choice(PASSING[2:5])()
    seed = body["seed"] if body["seed"] % 10 else 1
    return completion(json.dumps({"turns": turns(seed)}), delay=rng.uniform(0, 0.06))


def test_after_kills_the_same_corpus_comes_of_it_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    config = tmp_path / "llm.yaml"
    config.write_text("model: m\nconcurrency: 8\npatience: {attempts: 12, wait: 0.001, wait_max: 0.02}\n")
    with serving(slow_bad_day) as server:
        run(tmp_path / "whole", server, 300)
        options = ["--llm-config", config, "--llm-base-url", server.url, "-n", 300, "-o", tmp_path / "out"]
        command = [sys.executable, "-m", "zero_shot_emotion.cli", "generate", *options]

        def start() -> subprocess.Popen:
            return subprocess.Popen(
                list(map(str, command)),
                env={**os.environ, "OPENAI_API_KEY": KEY},
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )

        responses = tmp_path / "out" / RESPONSES
        for stored_by_now in (1, 10, 20):
            process = start()
            while not responses.exists() or responses.read_bytes().count(b"\n") < stored_by_now:
                assert process.poll() is None, process.communicate()[0].decode()
                time.sleep(0.001)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        with responses.open("ab") as file:
            file.write(b'{"key": "half a li')
        kept = {seed_of(json.loads(line)["key"]) for line in responses.read_bytes().splitlines()[:-1]}
        before = len(server.bodies)
        last = start()
        output = last.communicate(timeout=300)[0].decode()
        asked = {body["seed"] for body in server.bodies[before:]}

    assert last.returncode == 0, output
    assert corpus_bytes(tmp_path / "out") == corpus_bytes(tmp_path / "whole")
    assert len(kept) >= 20
    assert not asked & kept
    assert len(kept) + len(asked) == len(stored(tmp_path / "out"))
    assert f"{len(kept)} of them before" in output
    assert KEY not in output


def test_a_template_that_cannot_be_filled_is_told_as_it_is(tmp_path: Path) -> None:
    """Not as one of a group of errors, which no caller takes for one that a user can mend."""
    template = tmp_path / "mine.j2"
    template.write_text("Write {{ something }}.", encoding="utf-8")
    with serving(good) as server, pytest.raises(GenerationError, match="prompt: 'something' is undefined"):
        run(tmp_path / "out", server, prompt=template)
