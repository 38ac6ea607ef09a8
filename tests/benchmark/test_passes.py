import json

import pytest

from zero_shot_emotion.benchmark.passes import Passes


def test_what_a_corpus_gained_adds_to_what_it_took(tmp_path):
    passes = Passes(tmp_path / "costs.json")
    for seconds in (2.0, None, 0.5):  # the second time nothing was computed
        with passes.over("talk") as took:
            if seconds is not None:
                took(seconds)
    assert passes.seconds(["talk", "talk"]) == 2.5
    assert passes.seconds(["other"]) is None


def test_of_a_pass_that_was_killed_nobody_knows_how_long_it_would_have_taken(tmp_path):
    passes = Passes(tmp_path / "costs.json")
    with passes.over("whole") as took:
        took(1.0)
    with passes.over("killed") as took:
        left = (tmp_path / "costs.json").read_bytes()  # as a kill in its midst leaves it
    (tmp_path / "costs.json").write_bytes(left)
    with passes.over("killed") as took:
        took(0.1)
    assert passes.seconds(["whole"]) == 1.0
    assert passes.seconds(["whole", "killed"]) is None
    assert json.loads((tmp_path / "costs.json").read_text()) == {"whole": 1.0, "killed": None}


def test_a_pass_that_failed_never_was(tmp_path):
    passes = Passes(tmp_path / "costs.json")
    with pytest.raises(RuntimeError), passes.over("talk"):
        raise RuntimeError
    with passes.over("talk") as took:
        took(3.0)
    assert passes.seconds(["talk"]) == 3.0
