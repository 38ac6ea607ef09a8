import pytest

from zero_shot_emotion.corpus import EMOTIONS, FOUR, LABEL_SETS, LabelError, LabelSet, label_set


def test_four_classes_are_those_of_the_seed_work_in_its_order():
    assert FOUR.classes == ("neu", "hap", "ang", "sad")
    assert [FOUR.of(e) for e in ("neu", "hap", "exc", "ang", "sad")] == ["neu", "hap", "hap", "ang", "sad"]


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
def test_every_set_knows_the_fate_of_every_emotion(labels):
    fates = {emotion: labels.of(emotion) for emotion in EMOTIONS}

    assert set(fates.values()) == {*labels.classes, None}
    assert all(fates[name] == name for name in labels.classes)
    assert {e for e, fate in fates.items() if fate is None} == set(labels.drop)
    assert label_set(labels.name) is labels


def test_an_unknown_label_is_an_error_that_lists_the_fates():
    labels = LabelSet("mine", ("joy", "grief"), {"glee": "joy"})

    with pytest.raises(LabelError) as error:
        labels.of("hap")

    assert str(error.value) == (
        "label 'hap' is unknown to the label set 'mine': its classes are joy, grief, it merges glee and drops nothing"
    )


def test_an_unknown_set_is_an_error_that_lists_the_sets():
    with pytest.raises(LabelError, match="unknown label set 'for': expected one of four, six, seven, eight"):
        label_set("for")


@pytest.mark.parametrize(
    ("name", "merged"),
    [("neu,hap,ang,fru", {"exc": "hap"}), ("cal,bor", {}), ("hap,exc,sad", {})],
)
def test_classes_may_be_listed(name, merged):
    labels = label_set(name)

    assert labels.classes == tuple(name.split(","))
    assert labels.merge == merged
    assert set(EMOTIONS) == {*labels.classes, *labels.merge, *labels.drop}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "neu,joy",
            "label set 'neu,joy': unknown label 'joy': expected one of four, six, seven, eight, or several of neu,",
        ),
        ("neu,xxx", "label set 'neu,xxx': unknown label 'xxx'"),
        ("neu,", "label set 'neu,': unknown label ''"),
        ("neu", "label set 'neu': expected at least two different classes, got ['neu']"),
        ("neu,sad,neu", "label set 'neu,sad,neu': expected at least two different classes"),
    ],
)
def test_a_list_of_what_are_no_classes_is_refused(name, message):
    with pytest.raises(LabelError) as error:
        label_set(name)

    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("a",),), "label set 'x': expected at least two different classes, got ['a']"),
        ((("a", "a"),), "label set 'x': expected at least two different classes, got ['a', 'a']"),
        (
            (("a", "b"), {"c": "d"}),
            "label set 'x': 'c' is merged into 'd', which is none of its classes ['a', 'b']",
        ),
        ((("a", "b"), {"a": "b"}), "label set 'x': a has more than one fate"),
        ((("a", "b"), {"c": "b"}, ("c", "a")), "label set 'x': a, c has more than one fate"),
        ((("a", "b"), {}, ("c", "c")), "label set 'x': c has more than one fate"),
    ],
)
def test_a_set_that_contradicts_itself_is_refused(arguments, message):
    with pytest.raises(LabelError) as error:
        LabelSet("x", *arguments)

    assert str(error.value) == message
