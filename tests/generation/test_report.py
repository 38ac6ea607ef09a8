import difflib
import json
import math
import random
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from generation.report import write_report
from generation.report.association import cross_table
from generation.report.card import describe
from generation.report.contamination import contamination, longest_runs
from generation.report.diversity import distinct, self_bleu, type_token_curve
from generation.report.examples import examples
from generation.report.lengths import BINS, lengths, seconds
from generation.report.naming import naming
from generation.report.page import highlight
from generation.report.repeats import repeats
from generation.report.report import ALL, ReportError, make_report
from generation.report.surface import guess_from_surface, has_mark, mark_shares
from generation.report.transcript import Transcript, TranscriptError, open_transcript
from generation.report.typical import PRIOR, log_odds, typical_words
from generation.report.words import words
from generation.shipped import shipped_dialogues
from zero_shot_emotion import cli
from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance
from zero_shot_emotion.testing import tiny_corpus

SCRIPT = "<script>alert(1)</script>"
REAL = ["The plumber left a cactus in the bathtub again.", "I don't know what you want me to do.", "Really?"]


def lines_of(seed: int, lines: int = 60, vocabulary: int = 25, most: int = 12) -> list[list[str]]:
    rng = random.Random(seed)
    return [[f"w{rng.randrange(vocabulary)}" for _ in range(rng.randint(1, most))] for _ in range(lines)]


def shipped_texts(most: int) -> list[str]:
    return [turn["text"] for d in shipped_dialogues("iemocap") for turn in d.response["turns"]][:most]


def corpus_of(texts: list[str], root: Path = Path(), **columns: list) -> Corpus:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    rows = rows or [{} for _ in texts]
    utterances = (Utterance(id=f"u{k}", text=t, **row) for k, (t, row) in enumerate(zip(texts, rows, strict=True)))
    return Corpus("made", root, tuple(utterances))


@pytest.fixture(name="corpus")
def _corpus(tmp_path: Path) -> Corpus:
    """With audio, scenarios, a script in a text and in a scenario, and a line of `REAL`."""
    tiny = tiny_corpus(tmp_path / "tiny corpus", dialogues=6)
    texts = [*shipped_texts(22), f"Stop it! {SCRIPT}", REAL[0]]
    made = tuple(
        u.with_(text=text, scenario=f"<i>{k % 3}</i>") for k, (u, text) in enumerate(zip(tiny, texts, strict=True))
    )
    card = {**tiny.card, "description": "Tones & <b>words</b>", "datasheet": "iemocap", "drops": {"refusal": 8}}
    return Corpus("tones", tiny.root, made, card)


# words, association


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Well - I don’t KNOW...", ["well", "i", "don't", "know"]),
        ("'Twas 3 o'clock, snake_case", ["twas", "3", "o'clock", "snake", "case"]),
        ("你好, OK吗?", ["你", "好", "ok", "吗"]),
        ("C'est l'été, Straße", ["c'est", "l'été", "straße"]),
        ("?!", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_cramers_v_is_that_of_the_chi_square_statistic() -> None:
    from scipy.stats import chi2_contingency

    rng = np.random.default_rng(0)
    pairs = [(f"s{s}", f"l{(s + noise) % 3}") for s, noise in rng.integers(0, 4, (500, 2))]
    table = cross_table(pairs)
    chi2 = chi2_contingency(table.counts, correction=False).statistic

    assert table.rows == ["s0", "s1", "s2", "s3"]
    assert sum(map(sum, table.counts)) == 500
    assert table.counts[1][2] == sum(pair == ("s1", "l2") for pair in pairs)
    assert table.v == pytest.approx(math.sqrt(chi2 / 500 / 2))


def test_cramers_v_of_independent_columns_is_what_is_expected_by_chance() -> None:
    rng = np.random.default_rng(1)
    tables = [
        cross_table((f"s{s}", f"l{x}") for s, x in zip(*rng.integers(0, 4, (2, 300)), strict=True)) for _ in range(200)
    ]
    square = np.mean([table.v**2 for table in tables if table.v is not None])

    assert math.sqrt(square) == pytest.approx(tables[0].v_by_chance, rel=0.05)


@pytest.mark.parametrize(
    ("pairs", "v"), [([("a", "x"), ("b", "y")] * 9, 1), ([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")], 0)]
)
def test_cramers_v_at_its_ends(pairs: list[tuple[str, str]], v: float) -> None:
    assert cross_table(pairs).v == pytest.approx(v)


def test_nothing_is_associated_with_a_column_of_one_value() -> None:
    table = cross_table([("a", "x"), ("a", "y")])

    assert (table.v, table.v_by_chance, table.counts) == (None, None, [[1, 1]])


# lengths


def test_lengths_share_their_bins_and_tell_numpys_quantiles() -> None:
    rng = np.random.default_rng(0)
    groups = {"ang": rng.poisson(9, 400).tolist(), "none": [], "sad": [*rng.poisson(12, 300).tolist(), 400]}
    found = lengths(groups, width=1)

    assert found is not None
    assert list(found.groups) == ["ang", "sad"]
    assert len(found.edges) <= BINS + 2
    for name, group in found.groups.items():
        assert len(group.histogram) == len(found.edges) - 1
        assert sum(group.histogram) == pytest.approx(1)
        assert [group.q25, group.median, group.q75] == np.percentile(groups[name], [25, 50, 75]).tolist()
    assert found.groups["sad"].max == 400
    assert found.edges[-1] < 30
    assert found.groups["ang"].histogram[7] == pytest.approx(groups["ang"].count(7) / 400)


def test_long_lengths_get_wide_bins() -> None:
    found = lengths({"all": [float(k) for k in range(1000)]}, width=0.5)

    assert found is not None
    assert len(found.edges) <= BINS + 2
    assert lengths({}, width=1) is None


def test_seconds_are_those_of_the_audio_and_bad_files_are_left_out(corpus: Corpus) -> None:
    corpus.audio_path(corpus.utterances[3]).write_bytes(b"no audio")
    corpus.audio_path(corpus.utterances[4]).unlink()
    found = seconds(corpus)

    assert len(found) == len(corpus) - 2
    assert make_report(corpus).unreadable == 2
    for utterance in corpus.utterances[:3]:
        assert found[utterance.id] == pytest.approx(read_audio(corpus.audio_path(utterance), rate=None).seconds)


# diversity


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("lines", [lines_of(1), lines_of(2, vocabulary=4), [words(t) for t in shipped_texts(120)]])
def test_self_bleu_is_that_of_nltk(lines: list[list[str]], order: int) -> None:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    smooth = SmoothingFunction().method1
    weights = [1 / order] * order
    expected = [
        sentence_bleu(lines[:k] + lines[k + 1 :], line, weights, smoothing_function=smooth)
        for k, line in enumerate(lines)
    ]

    assert self_bleu(lines, order) == pytest.approx(float(np.mean(expected)))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [([list("abcdef")] * 2, 1), ([list("abcd"), list("efgh")], 0), ([list("abcd")], None), ([[], []], None)],
)
def test_self_bleu_at_its_ends(lines: list[list[str]], expected: float | None) -> None:
    assert self_bleu(lines) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_distinct_n(n: int) -> None:
    lines = lines_of(3)
    grams = [" ".join(line[k : k + n]) for line in lines for k in range(len(line)) if k + n <= len(line)]

    assert distinct(lines, n) == pytest.approx(len(set(grams)) / len(grams))
    assert distinct([["a"]], 2) is None


def test_the_type_token_curve_ends_with_the_vocabulary() -> None:
    lines = lines_of(4, lines=200, vocabulary=300)
    curve = type_token_curve(lines, words=10**9)

    assert curve[-1] == (sum(map(len, lines)), len({word for line in lines for word in line}))
    assert curve == sorted(curve)
    assert all(types <= tokens for tokens, types in curve)
    assert type_token_curve(lines, words=100)[-1][0] == 100
    assert type_token_curve(lines, 10**9, seed=1) != curve
    assert type_token_curve(lines, 10**9, seed=1)[-1] == curve[-1]


# typical words, named emotions


def test_log_odds_follow_the_formula() -> None:
    here, elsewhere = np.array([8.0, 1, 3]), np.array([2.0, 9, 3])
    found = log_odds(here, elsewhere, here + elsewhere)

    for k in range(3):
        prior = PRIOR * (here[k] + elsewhere[k]) / 26
        odds = [(y + prior) / (n + PRIOR - y - prior) for y, n in ((here[k], 12), (elsewhere[k], 14))]
        variance = 1 / (here[k] + prior) + 1 / (elsewhere[k] + prior)
        assert found[k] == pytest.approx((math.log(odds[0]) - math.log(odds[1])) / math.sqrt(variance))


def test_planted_words_are_typical() -> None:
    planted = {"ang": "fence", "sad": "harbour"}
    lines = [(label, [*line, planted[label]]) for label in planted for line in lines_of(5)]
    found = typical_words(lines, most=5)

    assert list(found) == ["ang", "sad"]
    for label, word in planted.items():
        assert found[label][0].word == word
        assert (found[label][0].here, found[label][0].elsewhere) == (60, 0)
        assert found[label][0].z > 4
        assert all(word.z > 0 for word in found[label])
        assert len(found[label]) <= 5


@pytest.mark.parametrize(
    ("language", "label", "text", "own", "named"),
    [
        ("en", "ang", "I'm so ANGRY with you.", 1, 1),
        ("en-US", "sad", "I am happy for you.", 0, 1),
        ("en", "ang", "They are hungry in the hangar.", 0, 0),
        ("en", "fru", "How frustrating!", 1, 1),
        ("de", "hap", "Ich freue mich so.", 1, 1),
        ("fr", "ang", "Il est en colère.", 1, 1),
        ("es", "fea", "Tengo miedo.", 1, 1),
        ("it", "sad", "Sono tristissima... triste.", 1, 1),
        ("cmn", "sad", "我真的很难过。", 1, 1),
        ("zh", "hap", "太开心了!", 1, 1),
    ],
)
def test_lines_that_name_an_emotion(language: str, label: str, text: str, own: int, named: int) -> None:
    found = naming([Utterance(id="u", text=text, label=label, language=language)])[label]

    assert (found.lines, found.own, found.any) == (1, own, named)


@pytest.mark.parametrize("language", ["fi", None])
def test_a_language_without_a_list_is_left_out(language: str | None) -> None:
    assert naming([Utterance(id="u", text="Olen vihainen", label="ang", language=language)]) == {}


# surface


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("What?! No", {"question", "exclamation"}),
        ("什么？不！真的，", {"question", "exclamation", "comma"}),
        ("Well… I mean...", {"ellipsis"}),
        ("I was - wait", {"dash"}),
        ("But you sai-", {"dash"}),
        ("A well-known one.", set()),
    ],
)
def test_marks(text: str, marks: set[str]) -> None:
    assert {mark for mark in ("exclamation", "question", "ellipsis", "dash", "comma") if has_mark(text, mark)} == marks


def test_shares_of_marks_are_by_label() -> None:
    found = mark_shares([("sad", "Oh."), ("ang", "Out!"), ("ang", "Out, now.")])

    assert list(found) == ["ang", "sad"]
    assert (found["ang"]["exclamation"], found["ang"]["comma"], found["sad"]["exclamation"]) == (0.5, 0.5, 0)


@pytest.mark.parametrize(("leak", "low", "high"), [(True, 0.95, 1), (False, 0.15, 0.4)])
def test_the_surface_tells_what_leaks_and_nothing_else(leak: bool, low: float, high: float) -> None:
    rng = random.Random(0)
    ends = {"ang": "!", "hap": "!!!", "neu": ".", "sad": "..."}
    labelled = [
        (
            label,
            " ".join(rng.choices("abcdef", k=rng.randint(2, 9))) + ends[label if leak else rng.choice([*ends])],
            f"d{k // 4}",
        )
        for k, label in enumerate(rng.choices([*ends], k=400))
    ]
    found = guess_from_surface(labelled)

    assert found is not None
    assert low <= found.uar <= high
    assert (found.chance, found.utterances, found.grouped_by, len(found.folds)) == (0.25, 400, "dialogue", 5)


def test_what_a_dialogue_shares_cannot_be_used_to_guess() -> None:
    labelled = [("ang" if d % 2 else "sad", "word " * (d + 1), f"d{d}") for d in range(4) for _ in range(10)]
    grouped, alone = guess_from_surface(labelled), guess_from_surface([(x, t, None) for x, t, _ in labelled])

    assert grouped is not None
    assert alone is not None
    assert grouped.uar < alone.uar
    assert alone.grouped_by == "utterance"


@pytest.mark.parametrize(
    "labelled",
    [
        [],
        [("ang", "Out!", "d")] * 9,
        [("ang", "Out!", "d"), ("sad", "Oh.", "d")],
        [("ang", "Out!", "a"), ("sad", "Oh.", "b")],
        [("ang", "Out!", "a"), ("sad", "Oh.", "b")] * 3,  # who has heard of one dialogue knows one label
    ],
)
def test_nothing_is_guessed_where_there_are_no_two_folds(labelled: list) -> None:
    assert guess_from_surface(labelled) is None


# repeats, contamination


def test_repeats_are_counted_by_kind() -> None:
    found = repeats(["Where is my blue suitcase?", "where is my blue suitcase", "Where's my blue suitcase?", "Oh no."])

    assert (found.lines, found.exact, found.near, found.share) == (4, 1, 1, 0.5)
    assert [pair.earlier for pair in found.worst] == ["Where is my blue suitcase?"]
    assert 0.7 <= found.worst[0].similarity < 1


@pytest.mark.parametrize("vocabulary", [3, 10, 40])
def test_longest_runs_are_those_of_difflib(vocabulary: int) -> None:
    lines, others = lines_of(6, 40, vocabulary), [*lines_of(7, 50, vocabulary), []]

    for line, run in zip(lines, longest_runs(lines, others), strict=True):
        sizes = [
            difflib.SequenceMatcher(None, line, other, autojunk=False).find_longest_match().size for other in others
        ]
        held = line[run.start : run.start + run.size]
        assert run.size == max(sizes)
        if held:
            assert any(others[run.other][k : k + run.size] == held for k in range(len(others[run.other])))


def test_no_run_is_shared_with_nothing_or_by_nothing() -> None:
    assert [run.size for run in longest_runs([["a"], []], [])] == [0, 0]
    assert longest_runs([], [["a"]]) == []


COMMON = ["I don't know what to do, you know.", "Do you want to know what I know?", "What do you want me to do?"] * 4


@pytest.mark.parametrize(
    ("text", "verdict", "sentence"),
    [
        (
            "Something else entirely.",
            "no",
            "No. None of 13 lines shares a telling run of 6 or more words with show; the ",
        ),
        ("I don't know what you want me to.", "no", ", is everyday speech."),
        (
            "Look! The plumber left a cactus in the kitchen, and then he whistled, and off he went.",
            "perhaps",
            "Perhaps. Lines that share a telling run of 6 or more words with show: 1 of 13. None is a copy; read them.",
        ),
        (
            "the plumber left a cactus - in the bathtub AGAIN",
            "yes",
            "Yes. Lines that stand in show, word for word or nearly: 1 of 13.",
        ),
        ("Uh, the plumber left a cactus in the bathtub again!", "yes", "Yes. Lines that stand in show"),
    ],
)
def test_the_verdict(text: str, verdict: str, sentence: str) -> None:
    found = contamination([text, *COMMON], Transcript("show", [*REAL, *COMMON[:3] * 2, "I don't know what you want"]))
    mine = [run for run in found.worst if run.text == text]

    assert found.verdict == verdict
    assert (found.telling, found.copied) == ({"no": 0, "perhaps": 1, "yes": 1}[verdict], int(verdict == "yes"))
    assert found.share == found.telling / 13
    assert sum(found.by_size.values()) == 13
    assert sentence in found.sentence
    if verdict == "no":
        assert not any(run.telling for run in mine)
    else:
        assert mine[0] is found.worst[0]
        assert mine[0].real == REAL[0]


def test_a_run_of_chinese_must_be_longer() -> None:
    real = Transcript("show", ["今天早上水管工又把一盆仙人掌忘在浴缸里了"])
    short, copy = (
        contamination([text], real) for text in ("水管工又把一盆", "今天早上水管工又把一盆仙人掌忘在浴缸里了!")
    )

    assert (short.least, short.verdict) == (10, "no")
    assert copy.verdict == "yes"


def test_a_corpus_contains_itself_and_the_shipped_one_nothing_of_another() -> None:
    texts = shipped_texts(200)

    assert contamination(texts, Transcript("itself", texts)).verdict == "yes"
    assert contamination(texts, Transcript("other", REAL)).verdict == "no"


# transcripts


def test_a_transcript_is_a_text_file_or_a_corpus(tmp_path: Path, corpus: Corpus) -> None:
    (tmp_path / "show.txt").write_text("One.\n\n  Two. \n", encoding="utf-8")
    corpus.save(corpus.root)

    assert open_transcript(tmp_path / "show.txt") == Transcript("show", ["One.", "Two."])
    assert open_transcript(str(corpus.root)).lines == [u.text for u in corpus]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "show.txt': holds no text, expected at least one utterance"),
        (b"\xff\xfe", "show.txt': expected text in UTF-8"),
    ],
)
def test_a_transcript_without_text_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "show.txt").write_bytes(content)

    with pytest.raises(TranscriptError, match=re.escape(message)):
        open_transcript(tmp_path / "show.txt")


def test_a_missing_transcript_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file or folder"):
        open_transcript(tmp_path / "none.txt")


# the report


def test_the_card_is_told(corpus: Corpus) -> None:
    card = describe(corpus)

    assert (card.utterances, card.with_text, card.with_audio, card.speakers, card.dialogues) == (24, 24, 24, 12, 6)
    assert card.counts["label"] == {"ang": 6, "hap": 6, "neu": 6, "sad": 6}
    assert card.counts["gender"] == {"female": 12, "male": 12}
    assert card.facts == {"seed": "0", "datasheet": "iemocap"}
    assert card.kept == pytest.approx(24 / 32)


def test_the_report_measures_every_part(corpus: Corpus) -> None:
    found = make_report(corpus, [Transcript("show", REAL)])

    assert found.words is not None
    assert list(found.words.groups) == [ALL, "ang", "hap", "neu", "sad", "real: show"]
    assert found.seconds is not None
    assert list(found.seconds.groups) == [ALL, "ang", "hap", "neu", "sad"]
    assert found.published is not None
    assert found.published.seconds == (0.58, 3.58, 34.14)
    assert found.variety.sample == 3
    assert [corpus.lines for corpus in found.variety.corpora] == [24, 3]
    assert found.scenarios is not None
    assert found.scenarios.columns == ["ang", "hap", "neu", "sad"]
    assert found.contamination[0].verdict == "yes"


@pytest.mark.parametrize(
    "corpus",
    [
        corpus_of(["One line."]),
        corpus_of(["One line.", "?!", "Two."], label=["ang", "ang", "ang"]),
        corpus_of(["你好吗？", "我不知道。"], label=["admiration", "sad"], language=["cmn", "cmn"]),
        corpus_of(["No.", "No."], scenario=["a", "a"], label=["ang", "sad"], dialogue=["d", "d"]),
    ],
)
def test_a_corpus_of_which_little_is_known_has_a_page_too(tmp_path: Path, corpus: Corpus) -> None:
    summary = write_report(corpus, tmp_path / "page.html")

    assert f"made, {len(corpus)} utterances" in summary
    assert "Not checked: no real transcript was given" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert_well_formed((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_examples_are_drawn_by_the_seed(corpus: Corpus) -> None:
    one, same, other = (examples(corpus, each=3, seed=seed) for seed in (1, 1, 2))

    assert one == same != other
    assert {label: len(found) for label, found in one.items()} == {"ang": 3, "hap": 3, "neu": 3, "sad": 3}


def test_a_corpus_without_text_is_an_error(tmp_path: Path) -> None:
    corpus = Corpus("mute", tmp_path, (Utterance(id="u", label="ang"),))

    with pytest.raises(ReportError, match="corpus 'mute': holds no text, expected utterances with text"):
        make_report(corpus)


def test_an_unknown_datasheet_is_an_error_only_where_it_is_asked_for(corpus: Corpus) -> None:
    foreign = Corpus(corpus.name, corpus.root, corpus.utterances, {"datasheet": "gone.yaml"})

    assert make_report(foreign).published is None
    with pytest.raises(MissingConfigError, match="datasheets: got 'gone', expected"):
        make_report(corpus, datasheet="gone")


@pytest.mark.parametrize(
    ("card", "datasheet"),
    [
        ({"datasheet": "msp-podcast", "language": "en"}, "msp-podcast"),
        ({"datasheet": "multilingual-de", "language": "de"}, "multilingual"),
        ({}, None),
    ],
)
def test_the_datasheet_is_found_by_the_card(corpus: Corpus, card: dict, datasheet: str | None) -> None:
    found = make_report(Corpus(corpus.name, corpus.root, corpus.utterances, card)).published

    assert (found and found.datasheet) == datasheet


def test_the_lengths_on_the_card_do_without_the_datasheet(corpus: Corpus, tmp_path: Path) -> None:
    told = {"seconds": [0.4, 2.8, 18.5], "per_second": 2.15, "unit": "words"}
    card = {"datasheet": "mine", "language": "de", "published": told}
    ours = Corpus(corpus.name, corpus.root, corpus.utterances, card)
    found = make_report(ours).published

    assert found is not None
    assert (found.datasheet, found.seconds) == ("mine", (0.4, 2.8, 18.5))
    assert found.words == pytest.approx((0.86, 6.02, 39.8), abs=0.05)
    assert "(published: about 6, 0.86 to 40)" in write_report(ours, tmp_path / "page.html")
    assert "2.15 words a second" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert make_report(ours, datasheet="meld").published != found


# the page


class Page(HTMLParser):
    """Notes what is fetched and linked, and whether every element is closed."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.sources: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.sources += [value or "" for name, value in attrs if name in ("src", "srcset", "data", "poster")]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_well_formed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


@pytest.fixture(name="page")
def _page(corpus: Corpus, tmp_path: Path) -> Path:
    (tmp_path / "show.txt").write_text("\n".join(REAL), encoding="utf-8")
    write_report(corpus, tmp_path / "out" / "page.html", real=[str(tmp_path / "show.txt")])
    return tmp_path / "out" / "page.html"


def test_the_page_needs_nothing_else(page: Path, corpus: Corpus) -> None:
    html = page.read_text(encoding="utf-8")
    parsed = assert_well_formed(html)

    assert parsed.tags["script"] == parsed.tags["link"] == parsed.tags["img"] == parsed.tags["iframe"] == 0
    assert not re.search(r"https?:|//\w|@import|url\(", html)
    assert "prefers-color-scheme: dark" in html
    assert {link for link in parsed.links if not link.startswith("#")} == {"page.json"}
    assert parsed.tags["audio"] == 24
    assert all((page.parent / unquote(source)).is_file() for source in parsed.sources)
    assert {link[1:] for link in parsed.links if link.startswith("#")} <= set(re.findall(r'id="(\w+)"', html))


def test_text_is_shown_and_never_run(page: Path) -> None:
    html = page.read_text(encoding="utf-8")

    assert SCRIPT not in html
    assert "Stop it! &lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "Tones &amp; &lt;b&gt;words&lt;/b&gt;" in html
    assert "&lt;i&gt;2&lt;/i&gt;" in html


def test_the_page_shows_the_numbers_of_the_json(page: Path) -> None:
    html = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    numbers = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))

    for corpus in numbers["variety"]["corpora"]:
        for value in (*corpus["distinct"], corpus["self_bleu"]):
            assert f'<td class="n">{value:.3f}</td>' in html
        assert f'<td class="n">{corpus["vocabulary"]}</td>' in html
    assert f"<b>{numbers['scenarios']['v']:.3f}</b>" in html
    assert f"<b>{numbers['surface']['uar']:.3f}</b>" in html
    assert numbers["contamination"][0]["sentence"] in html
    assert all(f">{example['text']}" in html for example in numbers["examples"]["ang"] if "'" not in example["text"])
    for shares in numbers["marks"].values():
        assert f">{round(100 * shares['exclamation'])}</td>" in html
    for typical in numbers["typical"].values():
        assert all(f"<b>{word['z']:.1f}</b>" in html for word in typical)
    assert "<b>75 %</b>" not in html
    assert "<dd>75 %</dd>" in html


def test_the_same_corpus_gives_the_same_page(corpus: Corpus, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(corpus, tmp_path / name / "page.html", seed=3)

    for suffix in (".html", ".json"):
        one, two = ((tmp_path / name / f"page{suffix}").read_bytes() for name in ("one", "two"))
        assert one == two


@pytest.mark.parametrize(
    ("text", "run", "expected"),
    [
        ("Well, I don’t KNOW.", "i don't know", "Well, <mark>I don’t KNOW</mark>."),
        ("<b> & no", "no", "&lt;b&gt; &amp; <mark>no</mark>"),
        ("nothing", "else", "nothing"),
        ("空的", "空 的", "<mark>空的</mark>"),
        ("nothing", "", "nothing"),
    ],
)
def test_shared_runs_are_marked(text: str, run: str, expected: str) -> None:
    assert str(highlight(text, run)) == expected


def test_a_page_of_another_kind_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(ReportError, match=r"-o report.json: expected the name of an .html file"):
        write_report(corpus, "report.json")


def test_the_command_writes_both_files_and_prints_one_screen(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.save(corpus.root)
    page = tmp_path / "page.html"
    monkeypatch.setattr(sys, "argv", ["zero-shot-emotion", "corpus", "report", str(corpus.root), "-o", str(page)])

    with pytest.raises(SystemExit) as end:
        cli.main()

    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "tones, 24 utterances in 6 dialogues" in out
    assert len(out.splitlines()) <= 24
    assert page.is_file()
    assert page.with_suffix(".json").is_file()
