import pytest

from generation.speakers import cast, role_of, split_name

DYAD = {"A": "female", "B": "male"}


@pytest.mark.parametrize(
    ("line", "name", "said"),
    [
        ("A: Hi.", "A", "Hi."),
        ("**M:** Hi.", "M", "Hi."),
        ("**M**: Hi.", "M", "Hi."),
        ("*M:* Hi.", "M", "Hi."),
        ("__Anna Lee__: Hi.", "Anna Lee", "Hi."),
        ("Subject 1 (male): Hi.", "Subject 1 (male)", "Hi."),
        ('"Tom: Hi."', "Tom", 'Hi."'),
        ("A：你好", "A", "你好"),
        ("张伟：你好", "张伟", "你好"),
        ("A :Hi", "A", "Hi"),
        ("It is 10:30.", None, "It is 10:30."),
        ("Hi there.", None, "Hi there."),
        ("This is what I told you about: him.", None, "This is what I told you about: him."),
        (": Hi", None, ": Hi"),
        ("", None, ""),
    ],
)
def test_a_name_is_what_stands_before_the_first_colon(line: str, name: str | None, said: str) -> None:
    assert split_name(line) == (name, said)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("A", "A"),
        ("b", "B"),
        ("Speaker A", "A"),
        ("Person B (angry)", "B"),
        ("Subject 1", "A"),
        ("subject 2 (male)", "B"),
        ("Speaker Two", "B"),
        ("2", "B"),
        (1, "A"),
        ("3", None),
        ("0", None),
        ("M", "B"),
        ("F", "A"),
        ("Male", "B"),
        ("The Woman", "A"),
        ("Anna (female)", "A"),
        ("Anna", None),
        ("Two", None),
        ("male or female", None),
        (None, None),
        (["A"], None),
        ("", None),
    ],
)
def test_a_name_means_a_role_or_none(name: object, role: str | None) -> None:
    assert role_of(name, DYAD) == role


def test_a_letter_goes_before_a_gender_and_a_gender_must_be_the_only_one() -> None:
    six = {name: ("female", "male")[i % 2] for i, name in enumerate("ABCDEF")}

    assert role_of("F", six) == "F"
    assert role_of("M", six) is None


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (["A", "B"], {"a": "A", "b": "B"}),
        (["Tom", "Anna", "Tom"], {"tom": "A", "anna": "B"}),
        (["Tom (crying)", "Anna", "Tom"], {"tom": "A", "anna": "B"}),
        (["Tom", "Anna", "Eve"], {}),
        (["A", "Tom"], {"a": "A"}),
        (["Anna (F)", "Tom (M)", "Anna"], {"anna": "A", "tom": "B"}),
        ([None, {}], {}),
        ([], {}),
    ],
)
def test_names_are_cast(names: list, roles: dict) -> None:
    assert cast(names, DYAD) == roles
