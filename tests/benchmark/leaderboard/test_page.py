import base64
import re
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from tests.benchmark.leaderboard.pages import HOSTILE, write_hostile_page
from tests.benchmark.toy_results import SOURCES, SYSTEMS, Toy, write_toy
from zero_shot_emotion.benchmark.leaderboard import LeaderboardError, load_board
from zero_shot_emotion.benchmark.leaderboard.page import render_page, write_page

VOID = ("meta", "input", "br", "img", "link", "hr")


class Reader(HTMLParser):
    """Elements with their attributes, and all text; every element must be closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="session")
def page(board):
    return render_page(board, "A title")


def test_every_entry_has_its_numbers_its_details_and_its_configs(board, page):
    for line in board.lines:
        assert f"{line.scores['UAR'].value:.3f}</span> <small>± {line.scores['UAR'].sd:.3f}" in page
        for row in line.entry.rows:
            assert row.command in page
            assert f"Row {row.id}" in page
    reader = Reader(page)
    assert sum(attributes.get("class") == "e" for _, attributes in reader.elements) == len(board.lines)
    assert sum(attributes.get("class") == "detail" for _, attributes in reader.elements) == len(board.lines)


def test_it_says_what_the_intervals_hold(page, tmp_path):
    assert "95% interval over speakers and seeds" in page
    assert "<dt>intervals</dt><dd>95%, drawn by speaker and seed</dd>" in page
    sources = {name: SOURCES[name] for name in ("acted", "majority")}
    write_toy(tmp_path, Toy({"fbank": ("speech", "Utt", 1.0)}, sources, {"emodb": 40}, (0,)))
    single = render_page(load_board(tmp_path))
    assert single.count("<dt>intervals</dt><dd>95%, drawn by speaker alone: there is one seed</dd>") == 1
    assert single.count("<dt>intervals</dt><dd>95%, drawn by speaker</dd>") == 1  # the majority class has but one


def test_it_refers_to_nothing_outside(page):
    for tag, attributes in Reader(page).elements:
        assert tag not in ("link", "iframe", "object", "img", "base")
        for name in ("src", "href", "action", "srcset", "poster", "data", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:audio/"))
    assert "@import" not in page
    assert "url(" not in page


def test_the_browser_is_told_to_run_this_one_script_only(page):
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL).group(1)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1).replace("&#39;", "'")
    assert f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy


def test_ids_are_unique_and_every_link_leads_somewhere(page):
    elements = Reader(page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(attributes.get("href") or "").removeprefix("#") for tag, attributes in elements if tag == "a"}
    assert targets <= set(ids)


def test_pictures_have_words(page):
    for tag, attributes in Reader(page).elements:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")


def test_what_others_wrote_stays_text(tmp_path):
    reader = Reader(write_hostile_page(tmp_path).read_text(encoding="utf-8"))
    assert [tag for tag, _ in reader.elements if tag in ("script", "img")] == ["script"]
    assert not any(name.startswith("on") for _, attributes in reader.elements for name in attributes)
    text = "".join(reader.text)
    assert text.count(HOSTILE) > 20
    assert "{{ 7*7 }}" in text


def test_a_page_is_an_html_file(board, tmp_path):
    with pytest.raises(LeaderboardError, match=r"page.pdf: expected the name of an .html file"):
        write_page(board, tmp_path / "page.pdf")


@pytest.mark.parametrize(
    ("systems", "told"),
    [
        (["data2vec"], "Emotion recognition from speech for corpora"),
        (["bert-base-uncased"], "Emotion recognition from text for corpora"),
        (["data2vec", "bert-base-uncased"], "Emotion recognition from speech, text for corpora"),
    ],
)
def test_the_lead_tells_what_was_heard_or_read(tmp_path, systems, told):
    write_toy(
        tmp_path, Toy({name: SYSTEMS[name] for name in systems}, {"acted": SOURCES["acted"]}, {"emodb": 40}, (0,))
    )
    write_page(load_board(tmp_path), tmp_path / "page.html")
    assert told in (tmp_path / "page.html").read_text(encoding="utf-8")
