from collections import Counter

import pytest

from generation.datasheet import load_datasheet
from generation.endpoint import Endpoint
from generation.plan import AVOIDED, TURNS, Plan
from zero_shot_emotion.corpus import FOUR, LABEL_SETS, LabelSet

SHEET = load_datasheet("iemocap")
ENDPOINT = Endpoint(base_url="http://x/v1", model="m")
EVEN = dict.fromkeys(FOUR.classes, 10)


def plan(labels: LabelSet = FOUR, endpoint: Endpoint = ENDPOINT, template: str = "t", seed: int = 0) -> Plan:
    return Plan(SHEET, labels, endpoint, template, seed)


def test_scenarios_come_in_turn_in_changing_order() -> None:
    ids = [plan().round(i, EVEN, {}).request.scenario.id for i in range(24)]
    cycles = [tuple(ids[start : start + 8]) for start in (0, 8, 16)]

    assert set(Counter(ids).values()) == {3}
    assert len(set(cycles)) == 3


def test_a_dialogue_is_between_a_woman_and_a_man_in_either_order() -> None:
    genders = Counter(plan().round(i, EVEN, {}).request.genders for i in range(100))

    assert set(genders) == {("female", "male"), ("male", "female")}
    assert min(genders.values()) > 30


def test_one_person_may_be_a_woman_or_a_man() -> None:
    sheet = load_datasheet("msp-podcast")
    rounds = [Plan(sheet, FOUR, ENDPOINT, "t", 0).round(i, EVEN, {}) for i in range(120)]
    alone = Counter(r.request.genders for r in rounds if len(r.request.scenario.roles) == 1)

    assert set(alone) == {("female",), ("male",)}


def test_what_an_answer_is_parsed_with_does_not_depend_on_what_was_accepted() -> None:
    for index in range(20):
        one = plan().round(index, EVEN, {})
        other = plan().round(index, {**EVEN, "sad": 0}, {"impro01": ["a", "b"], "impro02": ["c"]})

        assert one.key == other.key
        assert (one.request.scenario, one.request.genders, one.request.turns) == (
            other.request.scenario,
            other.request.genders,
            other.request.turns,
        )


def test_what_is_wanted_is_what_is_missing() -> None:
    wanted: Counter[str] = Counter()
    for index in range(200):
        request = plan().round(index, {"neu": 0, "hap": 10, "ang": 20, "sad": 70}, {}).request
        assert TURNS[0] <= request.turns <= TURNS[1]
        assert sum((request.wanted or {}).values()) == request.turns
        wanted.update(request.wanted)

    assert wanted["neu"] == 0
    assert 0.65 < wanted["sad"] / wanted.total() < 0.75
    assert 0.15 < wanted["ang"] / wanted.total() < 0.25


def test_lines_to_avoid_are_of_the_scenario_and_few() -> None:
    lines = {scenario.id: [f"{scenario.id} {i}" for i in range(50)] for scenario in SHEET.scenarios}
    first, second = (plan().round(i, EVEN, lines).request for i in (0, 8))

    assert len(set(first.avoid)) == AVOIDED
    assert all(line.startswith(first.scenario.id) for line in first.avoid)
    assert set(first.avoid) != set(second.avoid)


@pytest.mark.parametrize(
    "other",
    [
        plan(LABEL_SETS["four"], ENDPOINT.model_copy(update={"model": "n"})),
        plan(endpoint=ENDPOINT.model_copy(update={"temperature": 0.5})),
        plan(template="u"),
        plan(seed=1),
        Plan(load_datasheet("msp-podcast"), FOUR, ENDPOINT, "t", 0),
    ],
)
def test_another_run_has_other_keys(other: Plan) -> None:
    assert other.round(0, EVEN, {}).key != plan().round(0, EVEN, {}).key


def test_the_same_model_at_another_address_has_the_same_keys() -> None:
    moved = ENDPOINT.model_copy(update={"base_url": "http://y/v1", "concurrency": 64, "timeout": 1})

    assert plan(endpoint=moved).round(3, EVEN, {}) == plan().round(3, EVEN, {})


def test_a_class_may_be_reached_through_an_emotion_that_is_merged_into_it() -> None:
    labels = LabelSet("two", ("neu", "fru"), {"ang": "neu"}, ("hap", "sad"))
    only_merged = LabelSet("three", ("cal", "fru"), {"neu": "cal"}, ("hap", "sad", "ang"))

    assert set(plan(labels).round(0, {"neu": 1, "fru": 1}, {}).request.wanted or {}) <= {"neu", "fru"}
    assert set(plan(only_merged).round(0, {"cal": 5, "fru": 0}, {}).request.wanted or {}) == {"neu"}
