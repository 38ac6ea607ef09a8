import pytest

from zero_shot_emotion.benchmark import Interval, Row, RowError, Test, read_rows, write_rows

SCORE = Interval(value=0.5, low=0.4, high=0.6)
TEST = Test(
    utterances=4,
    metrics={"UAR": SCORE, "WA": SCORE, "macro-F1": SCORE},
    recall={"neu": 0.5, "hap": None},
    confusion=[[2, 2], [0, 0]],
    grouped_by="speaker",
)
ROW = Row(
    id="0123456789abcdef",
    benchmark="open",
    modality="speech",
    system="fbank",
    head="UtteranceLevel",
    source="synthetic",
    source_kind="synthetic",
    target="emodb",
    seed=0,
    labels=("neu", "hap"),
    test=TEST,
)


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [ROW, ROW.model_copy(update={"seed": 1, "protocol": {"normalise": "source", "share": 0.5}})]
    write_rows(tmp_path, rows)
    assert read_rows(tmp_path) == rows


def test_a_folder_without_results_has_no_rows(tmp_path):
    assert read_rows(tmp_path) == []


def test_a_wrong_line_is_named(tmp_path):
    write_rows(tmp_path, [ROW])
    with (tmp_path / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(ROW.model_dump_json().replace('"speech"', '"smell"') + "\n")
    expected = r"results.jsonl: line 2: modality: got 'smell', expected 'speech', 'text' or 'fusion'"
    with pytest.raises(RowError, match=expected):
        read_rows(tmp_path)


def test_an_id_belongs_to_a_config_whatever_the_order_of_its_keys():
    assert Row.id_for({"a": 1, "b": 2}) == Row.id_for({"b": 2, "a": 1})
    assert Row.id_for({"a": 1, "b": 2}) != Row.id_for({"a": 1, "b": 3})


def test_predictions_are_named_by_the_row():
    assert str(ROW.predictions) == "predictions/0123456789abcdef.csv"
