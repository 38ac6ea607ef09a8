from pathlib import Path

import pytest
from scipy import stats

from generation.datasheet import Datasheet, load_datasheet
from generation.lengths import lengths_of
from tests.generation.test_datasheet import sheet_with


def sheet_of(folder: Path, seconds: dict[str, float], **changes: object) -> Datasheet:
    return load_datasheet(sheet_with(folder, utterance_seconds=seconds, **changes))


@pytest.mark.parametrize(
    ("seconds", "median", "sigma"),
    [
        ({"min": 1, "median": 4, "mean": 5, "max": 30}, 4, 0.668),  # by the mean: sqrt(2 ln 1.25)
        ({"min": 1, "median": 4, "max": 16}, 4, 0.462),  # by the range: ln(16) / 6
        ({"min": 1, "mean": 4, "max": 16}, 3.595, 0.462),  # and the median by the mean: 4 exp(-sigma^2 / 2)
        ({"min": 1, "median": 4, "mean": 3.9, "max": 16}, 4, 0.462),  # no log-normal has its mean below its median
        ({"min": 3, "median": 3, "max": 3}, 3, 0),
    ],
)
def test_the_distribution_is_fitted_to_what_is_published(
    tmp_path: Path, seconds: dict[str, float], median: float, sigma: float
) -> None:
    found = lengths_of(sheet_of(tmp_path, seconds))

    assert (round(found.median, 3), round(found.sigma, 3)) == (median, sigma)
    assert (found.shortest, found.longest) == (seconds["min"], seconds["max"])


@pytest.mark.parametrize("share", [0, 0.001, 0.05, 0.3, 0.5, 0.77, 0.95, 0.999, 1])
def test_quantiles_are_those_of_a_truncated_log_normal(share: float) -> None:
    found = lengths_of(load_datasheet("msp-podcast"))
    whole = stats.lognorm(found.sigma, scale=found.median)
    low, high = whole.cdf(found.shortest), whole.cdf(found.longest)

    assert found.seconds(share) == pytest.approx(whole.ppf(low + share * (high - low)), abs=1e-5)


def test_percentiles_of_msp_podcast_that_were_not_fitted_are_near_the_published_ones() -> None:
    found = lengths_of(load_datasheet("msp-podcast"))

    assert found.seconds(0.05) == pytest.approx(2.8, abs=0.1)
    assert found.seconds(0.95) == pytest.approx(10, abs=0.6)


@pytest.mark.parametrize(
    "seconds",
    [
        {"min": 3, "median": 3, "max": 3},
        {"min": 0.001, "median": 3, "mean": 3.000001, "max": 6000},
        {"min": 2, "median": 2, "max": 9},
        {"min": 0.01, "median": 0.02, "max": 0.05},
    ],
)
def test_odd_figures_give_lengths_too(tmp_path: Path, seconds: dict[str, float]) -> None:
    found = lengths_of(sheet_of(tmp_path, seconds))
    drawn = [found.seconds(share) for share in (0, 1e-300, 0.25, 0.5, 0.75, 1 - 1e-16, 1)]

    assert drawn == sorted(drawn)
    assert seconds["min"] <= drawn[0] <= drawn[-1] <= seconds["max"]
    assert found.words(0) >= 1


def test_words_are_counted_at_the_rate_of_the_corpus_or_of_its_language(tmp_path: Path) -> None:
    seconds = {"min": 1, "median": 10, "max": 20}
    several = {"de": "German", "cmn": "Mandarin"}
    by_language = sheet_of(tmp_path, seconds, languages=several)
    own = sheet_of(tmp_path, seconds, languages=several, words_per_second=2)

    assert lengths_of(by_language).words(1) == 55
    assert lengths_of(by_language.in_language("de")).words(1) == 43
    assert lengths_of(by_language.in_language("cmn")).rate.unit == "characters"
    assert lengths_of(own).words(1) == 40
    assert lengths_of(own.in_language("de")).words(1) == 43  # the corpus's rate is of its first language


def test_the_shipped_rate_of_meld_gives_the_mean_number_of_words_that_is_published() -> None:
    found = lengths_of(load_datasheet("meld"))
    words = [found.words((k + 0.5) / 2000) for k in range(2000)]

    assert sum(words) / len(words) == pytest.approx(8.03, abs=0.3)
