from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import stats

from generation.datasheet import Datasheet, load_datasheet
from generation.endpoint import Endpoint
from generation.errors import GenerationError
from generation.plan import AVOIDED, TURNS, Plan, first_prompt, lacking
from generation.prompt import PlannedTurn, render, template_text
from zero_shot_emotion.corpus import FOUR, LABEL_SETS, LabelSet

SHEET = load_datasheet("iemocap")
ENDPOINT = Endpoint(base_url="http://x/v1", model="m")
EVEN = dict.fromkeys(FOUR.classes, 10)


def plan(labels: LabelSet = FOUR, endpoint: Endpoint = ENDPOINT, template: str = "t", seed: int = 0) -> Plan:
    return Plan(SHEET, labels, endpoint.sampling(), template, seed)


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
    rounds = [Plan(sheet, FOUR, {}, "t", 0).round(i, EVEN, {}) for i in range(120)]
    alone = Counter(r.request.genders for r in rounds if len(r.request.scenario.roles) == 1)

    assert set(alone) == {("female",), ("male",)}


def test_what_an_answer_is_parsed_with_does_not_depend_on_what_was_accepted() -> None:
    for index in range(20):
        one = plan().round(index, EVEN, {})
        other = plan().round(index, {**EVEN, "sad": 0}, {"impro01": ["a", "b"], "impro02": ["c"]})

        assert one.key == other.key
        assert one.request.scenario == other.request.scenario
        assert one.request.genders == other.request.genders
        assert [t.length for t in one.request.plan] == [t.length for t in other.request.plan]


def test_what_is_wanted_is_what_is_missing() -> None:
    wanted: Counter[str] = Counter()
    for index in range(200):
        request = plan().round(index, {"neu": 0, "hap": 10, "ang": 20, "sad": 70}, {}).request
        assert TURNS[0] <= request.turns <= TURNS[1]
        assert all(turn.emotion for turn in request.plan)
        wanted.update(turn.emotion for turn in request.plan)

    assert wanted["neu"] == 0
    assert 0.65 < wanted["sad"] / wanted.total() < 0.75
    assert 0.15 < wanted["ang"] / wanted.total() < 0.25


def test_nothing_is_wanted_where_nothing_is_missing() -> None:
    request = plan().round(0, dict.fromkeys(FOUR.classes, 0), {}).request

    assert {turn.emotion for turn in request.plan} == {None}
    assert request.turns >= TURNS[0]


def test_speakers_alternate_and_mostly_have_their_own_emotion() -> None:
    own = turns = 0
    for index in range(400):
        request = plan().round(index, EVEN, {}).request
        roles = request.scenario.roles
        assert [turn.speaker for turn in request.plan] == [("A", "B")[k % 2] for k in range(request.turns)]
        own += sum(turn.emotion == roles[k % 2].emotion for k, turn in enumerate(request.plan))
        turns += sum(roles[k % 2].emotion in FOUR.classes for k, _ in enumerate(request.plan))

    assert own / turns > 0.35  # a quarter, were they dealt without a look at who speaks


def test_moods_come_in_runs() -> None:
    for index in range(100):
        emotions = [turn.emotion for turn in plan().round(index, EVEN, {}).request.plan]
        for speaker in (emotions[::2], emotions[1::2]):
            changes = sum(one != other for one, other in pairwise(speaker))
            assert changes == len(set(speaker)) - 1


def turns_of(sheet: Datasheet, requests: int) -> list[PlannedTurn]:
    rounds = Plan(sheet, FOUR, {}, "t", 0)
    return [turn for i in range(requests) for turn in rounds.round(i, EVEN, {}).request.plan]


def published(sheet: Datasheet) -> tuple[object, float, float]:
    """By scipy: seconds as the datasheet gives them, and where they end."""
    seconds = sheet.utterance_seconds
    middle = seconds.median
    sigma = np.sqrt(2 * np.log(seconds.mean / middle)) if seconds.mean else np.log(seconds.max / seconds.min) / 6
    return stats.lognorm(sigma, scale=middle), seconds.min, seconds.max


@pytest.mark.parametrize(
    ("name", "rate"), [("iemocap", 2.74), ("msp-podcast", 2.74), ("msp-improv", 2.74), ("meld", 2.24)]
)
def test_lengths_are_distributed_as_the_datasheet_says(name: str, rate: float) -> None:
    """Of 2,000 requests, word by word: beyond the ends there is nothing, between them what a log-normal has there."""
    sheet = load_datasheet(name)
    lengths = np.array([turn.length for turn in turns_of(sheet, 2000)])
    seconds, shortest, longest = published(sheet)
    inside = seconds.cdf(longest) - seconds.cdf(shortest)
    words = np.arange(lengths.min(), lengths.max() + 1)
    edges = np.clip(np.append(words - 0.5, words[-1] + 0.5) / rate, shortest, longest)
    edges[0], edges[-1] = shortest, longest
    expected = np.diff(seconds.cdf(edges)) / inside * len(lengths)
    seen = np.bincount(lengths, minlength=words[-1] + 1)[words[0] :]
    often = expected >= 5
    fit = stats.chisquare(
        *([*counts[often][:-1], counts[often][-1] + counts[~often].sum()] for counts in (seen, expected))
    )

    assert round(shortest * rate) <= lengths.min()
    assert lengths.max() <= round(longest * rate)
    assert fit.pvalue > 0.01
    assert abs(np.median(lengths) - sheet.utterance_seconds.median * rate) <= 1


@pytest.mark.parametrize("name", ["iemocap", "msp-podcast"])
def test_the_length_of_a_turn_does_not_tell_its_class(name: str) -> None:
    turns = turns_of(load_datasheet(name), 2000)
    by_class = {label: [t.length for t in turns if t.emotion == label] for label in FOUR.classes}
    short = Counter((turn.emotion, turn.length > 10) for turn in turns)
    table = [[short[label, False], short[label, True]] for label in FOUR.classes]

    for one, other in combinations(by_class.values(), 2):
        assert stats.ks_2samp(one, other).pvalue > 0.01
    assert stats.contingency.association(table, method="cramer") < 0.03


def test_one_class_more_or_less_changes_no_length() -> None:
    for index in range(50):
        sad, even = (
            plan().round(index, missing, {}).request.plan for missing in ({**EVEN, "neu": 0, "hap": 0, "ang": 0}, EVEN)
        )
        assert {turn.emotion for turn in sad} == {"sad"}
        assert [turn.length for turn in sad] == [turn.length for turn in even]


def test_the_same_seed_gives_the_same_prompts_and_another_others() -> None:
    def prompts(seed: int) -> list[str]:
        rounds = plan(seed=seed)
        return [render(SHEET, rounds.round(i, EVEN, {"impro01": ["No."]}).request) for i in range(20)]

    assert prompts(3) == prompts(3)
    assert not set(prompts(3)) & set(prompts(4))


def test_the_first_prompt_of_a_run_asks_for_all_classes_alike() -> None:
    request = plan(template=template_text("dialogue")).round(0, EVEN, {}).request

    assert first_prompt(SHEET, FOUR) == render(SHEET, request)


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
        Plan(load_datasheet("msp-podcast"), FOUR, ENDPOINT.sampling(), "t", 0),
    ],
)
def test_another_run_has_other_keys(other: Plan) -> None:
    assert other.round(0, EVEN, {}).key != plan().round(0, EVEN, {}).key


def test_the_same_model_at_another_address_has_the_same_keys() -> None:
    moved = ENDPOINT.model_copy(update={"base_url": "http://y/v1", "concurrency": 64, "timeout": 1})

    assert plan(endpoint=moved).round(3, EVEN, {}) == plan().round(3, EVEN, {})


def test_classes_that_a_datasheet_lacks_are_told_with_what_it_has() -> None:
    seven = LABEL_SETS["seven"]
    sheet = load_datasheet("msp-improv")

    assert lacking(sheet, seven) == ["fea", "dis", "sur"]
    assert lacking(SHEET, seven) == []
    with pytest.raises(GenerationError, match=r"no emotion for the class 'fea', .* such as --labels ang,hap,neu,sad$"):
        Plan(sheet, seven, {}, "t", 0)


def test_a_class_may_be_reached_through_an_emotion_that_is_merged_into_it() -> None:
    labels = LabelSet("two", ("neu", "fru"), {"ang": "neu"}, ("hap", "sad"))
    only_merged = LabelSet("three", ("cal", "fru"), {"neu": "cal"}, ("hap", "sad", "ang"))

    assert set(plan(labels).round(0, {"neu": 1, "fru": 1}, {}).request.wanted or {}) <= {"neu", "fru"}
    assert set(plan(only_merged).round(0, {"cal": 5, "fru": 0}, {}).request.wanted or {}) == {"neu"}
