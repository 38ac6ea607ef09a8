import json
import math

import numpy as np
import pytest

from generation.endpoint import Budget, Endpoint, Patience
from generation.errors import EndpointError
from generation.store import RESPONSES
from generation.weak_labels.by_llm import ByLLM
from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.open_set import OpenSet
from generation.weak_labels.turn import Turn, turns_of
from tests.generation.chat_server import Reply, completion, failure, serving
from zero_shot_emotion.taxonomy import load_taxonomy

FOUR = load_taxonomy("four")
QUICK = Patience(attempts=4, wait=0.001, wait_max=0.02)


def marked(body):
    """The line that a prompt asks about."""
    (line,) = (line for line in body["messages"][0]["content"].splitlines() if line.startswith("> "))
    return line.removeprefix("> ")


def chooses(body, attempt):
    """Says what the line says; of "torn", happy or sad by the seed; of the rest something useless."""
    text = marked(body)
    if text == "torn":
        return completion(json.dumps({"emotion": ("happy", "sad")[body["seed"] % 2]}))
    return completion(json.dumps({"emotion": text}) if text != "mute" else "I would rather not.")


def labeller(server, kind=ByLLM, taxonomy=FOUR, endpoint=None, **settings):
    told = Endpoint(base_url=server.url, model="m", patience=QUICK, timeout=60, **(endpoint or {}))
    return kind(kind.Settings(endpoint=told, **settings), taxonomy)


def test_the_choice_is_the_label_and_what_cannot_be_read_has_none():
    with serving(chooses) as server:
        found = labeller(server).label([Turn(text=text) for text in ("sad", "Happy", "mute", "bored")])
    np.testing.assert_equal(found, [[0, 0, 0, 1], [0, 1, 0, 0], [math.nan] * 4, [math.nan] * 4])


def test_the_schema_lists_the_classes():
    with serving(chooses) as server:
        labeller(server).label([Turn(text="sad")])
    (body,) = server.bodies
    schema = body["response_format"]["json_schema"]
    assert schema["name"] == "weak-label"
    assert schema["schema"]["properties"]["emotion"]["enum"] == ["neutral", "happy", "angry", "sad"]


def test_votes_with_seeds_of_their_own_make_a_distribution():
    with serving(chooses) as server:
        (row,) = labeller(server, votes=12).label([Turn(text="torn")])
    assert len({body["seed"] for body in server.bodies}) == 12
    sad = sum(body["seed"] % 2 for body in server.bodies) / 12
    assert row.tolist() == pytest.approx([0, 1 - sad, 0, sad])
    assert 0 < sad < 1


def test_the_probabilities_of_letters_are_the_distribution():
    def answer(body, attempt):
        top = [{"token": token, "logprob": math.log(p)} for token, p in ((" D", 0.6), ("B", 0.2), ("x", 0.1))]
        choice = {
            "message": {"content": "D"},
            "finish_reason": "length",
            "logprobs": {"content": [{"top_logprobs": top}]},
        }
        return Reply(body=json.dumps({"choices": [choice]}))

    with serving(answer) as server:
        (row,) = labeller(server, logprobs=True).label([Turn(text="so")])
    assert row.tolist() == pytest.approx([0, 0.25, 0, 0.75])
    (body,) = server.bodies
    assert (body["logprobs"], body["max_tokens"]) == (True, 1)
    assert "D: sad" in body["messages"][0]["content"]
    assert "response_format" not in body


def test_logprobs_that_do_not_come_are_an_error():
    with serving(lambda body, attempt: completion("D")) as server:
        asked = labeller(server, logprobs=True)
        with pytest.raises(
            WeakLabelError, match="logprobs: the endpoint tells none, expected some; take votes instead"
        ):
            asked.label([Turn(text="so")])
        with pytest.raises(WeakLabelError, match="'goemotions' has 28 classes, expected at most 20; take votes"):
            labeller(server, logprobs=True, taxonomy=load_taxonomy("goemotions"))


def test_the_model_sees_the_turns_around_and_the_sound(dialogue):
    turns = turns_of(dialogue, context=2, sounds={"u2": "very loud"})
    with serving(lambda body, attempt: completion('{"emotion": "sad"}')) as server:
        labeller(server).label([turns["u2"]])
    prompt = server.bodies[0]["messages"][0]["content"]
    lines = [line for line in prompt.splitlines() if line.startswith(("- ", "> "))]
    assert lines == ["- I am so happy today.", "- Leave me alone, I am furious!", "> We lost again.",
                     "- What a day it was", "- so angry"]  # fmt: skip
    assert "compared with how the speaker usually speaks: very loud." in prompt


def test_context_does_not_leave_the_dialogue(dialogue):
    other = dialogue.utterances[0].with_(id="x", dialogue="e", turn=1, text="elsewhere")
    turns = turns_of([*dialogue, other], context=9)
    assert turns["x"].before == turns["x"].after == ()
    assert turns["u0"].before == ()
    assert turns["u5"].before[-1] == "so angry"


def test_answers_are_stored_and_paid_for_once(tmp_path):
    turns = [Turn(text=text) for text in ("sad", "happy", "mute")]
    with serving(chooses) as server:
        first = labeller(server)
        first.keep_answers_in(tmp_path)
        before = first.label(turns)
        second = labeller(server)
        second.keep_answers_in(tmp_path)
        np.testing.assert_equal(second.label([*turns, Turn(text="angry")])[:3], before)
    assert len(server.bodies) == 4
    assert len((tmp_path / RESPONSES).read_text().splitlines()) == 4


def test_a_budget_holds_for_all_runs_in_a_folder(tmp_path):
    with serving(chooses) as server:
        for texts in (["sad", "happy"], ["sad", "happy", "angry"]):
            asked = labeller(server, endpoint={"budget": Budget(requests=2)})
            asked.keep_answers_in(tmp_path)
            if len(texts) == 2:
                asked.label([Turn(text=text) for text in texts])
                continue
            with pytest.raises(EndpointError, match=r"the budget of requests \(2\) does not allow another request"):
                asked.label([Turn(text=text) for text in texts])
    assert len(server.bodies) == 2


def test_what_a_budget_allows_is_asked_before_it_ends_a_run(tmp_path):
    turns = [Turn(text=f"{i}") for i in range(5)]
    with serving(lambda body, attempt: completion('{"emotion": "sad"}')) as server:
        cut = labeller(server, endpoint={"budget": Budget(requests=3)})
        cut.keep_answers_in(tmp_path)
        with pytest.raises(EndpointError, match=r"the budget of requests \(3\) does not allow another request"):
            cut.label(turns)
        assert sorted(marked(body) for body in server.answered) == ["0", "1", "2"]
        whole = labeller(server, endpoint={"budget": Budget(requests=5)})
        whole.keep_answers_in(tmp_path)
        assert whole.label(turns).tolist() == [[0, 0, 0, 1]] * 5
    assert len(server.bodies) == 5


def test_an_endpoint_that_refuses_is_not_asked_again():
    with serving(lambda body, attempt: failure(401, "no such key")) as server:
        asked = labeller(server, endpoint={"concurrency": 1})
        for _ in range(3):
            with pytest.raises(EndpointError, match="no such key"):
                asked.label([Turn(text="sad")])
    assert len(server.bodies) == 1


def test_free_names_find_their_class(encoder):
    names = {"one": "Joyful", "two": "fury", "three": "mute"}
    taxonomy = load_taxonomy("seven")
    with serving(lambda body, attempt: completion(json.dumps({"emotion": names[marked(body)]}))) as server:
        asked = labeller(server, OpenSet, taxonomy, encoder=encoder, device="cpu")
        one, two, three = asked.label([Turn(text=text) for text in names])
    assert one.tolist() == [float(name == "hap") for name in taxonomy.names]  # a word of the taxonomy
    assert two.sum() == pytest.approx(1)
    assert (two > 0).all()
    assert three.sum() == pytest.approx(1)
    schema = server.bodies[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["emotion"] == {"type": "string"}
