"""The page in a real browser; skipped where there is none."""

import pytest

from tests.benchmark.browser import browsing, chromium
from tests.benchmark.leaderboard.pages import write_hostile_page
from zero_shot_emotion.benchmark.leaderboard.page import write_page
from zero_shot_emotion.benchmark.leaderboard.samples import read_samples
from zero_shot_emotion.testing import tiny_corpus

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium, which is not installed")

SHOWN = "[...document.querySelectorAll('tr.e')].filter(row => row.checkVisibility())"
"""Entries that can be seen."""


@pytest.fixture(scope="module")
def browser():
    with browsing() as page:
        yield page


@pytest.fixture(scope="module")
def file(board, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    tiny_corpus(folder / "spoken", dialogues=1)
    write_page(board, folder / "page.html", "A title", read_samples([str(folder / "spoken")]))
    return folder / "page.html"


@pytest.fixture
def tab(browser, file):
    browser.open(file)
    return browser


def choose(tab, name, value):
    """Do to a field of the filters what a user does."""
    tab.run(
        f"(() => {{ const field = document.forms[0].elements[{name!r}]; field.value = {value!r};"
        "field.dispatchEvent(new Event('input', {bubbles: true})) })()"
    )


def column(tab, key):
    """What the entries of the first target say, from top to bottom."""
    return tab.run(f"[...document.querySelectorAll('tbody:first-of-type tr.e')].map(row => row.dataset[{key!r}])")


def test_it_complains_of_nothing_and_asks_for_nothing(tab):
    tab.run("new Promise(done => setTimeout(done, 300))")
    assert tab.complaints == []
    assert tab.requests == []


def test_a_column_sorts_both_ways_within_a_target(tab):
    for key, head in (("uar", "UAR"), ("wa", "WA"), ("macrof1", "macro-F1")):
        tab.run(f"document.querySelector('th[data-sort={head}] button').click()")
        values = [float(value) for value in column(tab, key)]
        assert values == sorted(values, reverse=True)
        tab.run(f"document.querySelector('th[data-sort={head}] button').click()")
        assert [float(value) for value in column(tab, key)] == sorted(values)
        assert tab.run(f"document.querySelector('th[data-sort={head}]').ariaSort") == "ascending"
    assert set(column(tab, "table")) == {"emodb"}
    choose(tab, "sort", "")
    assert tab.run("document.querySelector('tbody tr.e').id") == "e1"
    tab.run("document.querySelector('th[data-sort=system] button').click()")
    assert column(tab, "system") == sorted(column(tab, "system"))


def test_details_stay_with_their_entries_when_sorted(tab):
    tab.run("document.querySelector('th[data-sort=WA] button').click()")
    pairs = "[...document.querySelectorAll('tr.e')].every(row => row.nextElementSibling.id === `${row.id}-d`)"
    assert tab.run(pairs) is True


@pytest.mark.parametrize(
    ("name", "value", "count", "key"),
    [
        ("table", "nemo", 10, "table"),
        ("modality", "text", 10, "modality"),
        ("system", "data2vec", 10, "system"),
        ("kind", "majority", 4, "kind"),
    ],
)
def test_each_filter_keeps_what_it_says(tab, name, value, count, key):
    choose(tab, name, value)
    assert tab.run(f"{SHOWN}.map(row => row.dataset[{key!r}])") == [value] * count
    assert tab.run("document.querySelector('.state').textContent") == f"{count} of 20 entries"
    tab.run("document.querySelector('button[type=reset]').click()")
    tab.run("new Promise(done => setTimeout(done, 50))")
    assert tab.run(f"{SHOWN}.length") == 20


def test_filters_add_up_and_search_takes_words(tab):
    choose(tab, "table", "emodb")
    choose(tab, "search", "BERT synth")
    assert sorted(tab.run(f"{SHOWN}.map(row => row.dataset.source)")) == ["acted", "neutral"]
    assert tab.run("document.querySelectorAll('a[data-entry]:not(.dimmed)').length") == 2
    choose(tab, "seeds", "4")
    assert tab.run(f"{SHOWN}.length") == 0


def test_another_metric_is_drawn(tab):
    drawn = "[...document.querySelectorAll('svg.iv')].filter(x => x.checkVisibility()).map(x => x.classList[1])"
    visible = f"[...new Set({drawn})]"
    assert tab.run(visible) == ["UAR"]
    choose(tab, "metric", "WA")
    assert tab.run(visible) == ["WA"]


def test_details_open_by_keyboard(tab):
    tab.run("document.querySelector('button.more').focus()")
    tab.press("Enter", 13)
    assert tab.run("document.querySelector('button.more').ariaExpanded") == "true"
    assert tab.run("document.querySelector('tr.detail').checkVisibility()") is True
    tab.press("Enter", 13)
    assert tab.run("document.querySelector('tr.detail').checkVisibility()") is False


def test_a_point_of_the_cost_leads_to_its_entry(tab):
    choose(tab, "table", "nemo")  # which hides it
    tab.run("location.hash = document.querySelector('a[data-entry=e1]').getAttribute('href')")
    tab.run("new Promise(done => setTimeout(done, 200))")
    assert tab.run("document.querySelector('#e1-d').checkVisibility()") is True


def test_a_config_is_copied(tab, board):
    tab.run("document.querySelector('button.more').click()")
    tab.run("document.querySelector('details.repeat').open = true")
    tab.run(
        "window.copied = new Promise(done =>"
        "document.addEventListener('copy', () => done(document.activeElement.value))); 0"
    )
    tab.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as in a browser without it
    tab.run("document.querySelector('button[data-copy]').click()")
    assert tab.run("copied") == board.lines[0].row.command


def test_recordings_play(tab):
    play = """(async () => {
      const sound = document.querySelector('audio');
      sound.preload = 'auto';
      sound.load();
      await new Promise((done, fail) => { sound.oncanplay = done; sound.onerror = fail });
      return sound.duration;
    })()"""
    assert tab.run(play) > 0.3
    assert tab.complaints == []


@pytest.mark.parametrize("width", [320, 390, 600, 800, 1024, 1280])
def test_nothing_is_wider_than_the_window(browser, file, width):
    browser.open(file, width=width)
    browser.run("for (const more of document.querySelectorAll('button.more')) more.click()")
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_dark(browser, file, dark):
    browser.open(file, dark=dark)
    assert browser.run(LOWEST_CONTRAST) >= 4.5
    browser.run("document.querySelector('button.theme').click()")
    assert browser.run(LOWEST_CONTRAST) >= 4.5


def test_all_can_be_read_without_javascript(browser, file):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(file)
        hidden = "[...document.querySelectorAll('tr.detail')].filter(row => !row.checkVisibility()).length"
        assert browser.run(hidden) == 0
        assert browser.run("document.querySelector('form.filters').checkVisibility()") is False
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_every_control_has_a_name(tab):
    unnamed = """[...document.querySelectorAll('button, input, select, a, audio')].filter(x => x.checkVisibility() &&
        !(x.labels && x.labels.length) && !x.ariaLabel && !x.textContent.trim()).length"""
    assert tab.run(unnamed) == 0


def test_what_others_wrote_does_not_run(browser, tmp_path):
    page = write_hostile_page(tmp_path)
    browser.open(page)
    browser.run("new Promise(done => setTimeout(done, 300))")
    assert browser.complaints == []
    assert browser.requests == []
    assert browser.run("document.images.length") == 0
    assert browser.run("document.scripts.length") == 1
    for width in (390, 1280):
        browser.open(page, width=width)
        assert browser.run("document.documentElement.scrollWidth") <= width


LOWEST_CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => {
    const [r, g, b] = color.map(x => (x /= 255) <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const over = (top, under) => [0, 1, 2].map(k => top[k] * top[3] / 255 + under[k] * (1 - top[3] / 255));
  const behind = (element) => {
    const layers = [];
    for (let x = element; x; x = x.parentElement) layers.push(rgba(getComputedStyle(x).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const SKIPPED = 'svg, .sr, .skip, option, noscript, script, style';
  let lowest = 21;
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(x => x.nodeType === 3 && x.data.trim());
    if (!own || !element.checkVisibility() || element.closest(SKIPPED)) continue;
    const under = behind(element), text = over(rgba(getComputedStyle(element).color), under);
    const [high, low] = [light(text), light(under)].sort((a, b) => b - a);
    lowest = Math.min(lowest, (high + .05) / (low + .05));
  }
  return lowest;
})()"""
