import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.endpoint import Budget, Endpoint, Patience
from generation.errors import GenerationError
from generation.store import RESPONSES
from generation.summary import GenerationReport
from generation.translate import translate
from tests.generation.chat_server import ChatServer, Reply, completion, failure, serving
from zero_shot_emotion.corpus import CARD, MANIFEST, Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.stage import StageError

EMOTIONS = {"ang": "angry", "sad": "sad"}
Answer = Callable[[str, str, str], Any]


def corpus(count: int = 12) -> Corpus:
    """Dialogues of four turns; each line says its number and, for the judge, its emotion."""
    lines = [
        Utterance(
            id=f"d{i // 4}-{i % 4}",
            text=f"Line number {i} of the {EMOTIONS[label]} one",
            label=label,
            speaker=f"d{i // 4}-{'AB'[i % 2]}",
            gender=("female", "male")[i % 2],
            language="en",
            dialogue=f"d{i // 4}",
            turn=i % 4,
        )
        for i, label in ((i, ("ang", "sad")[i // 2 % 2]) for i in range(count))
    ]
    return Corpus("mine", Path(), tuple(lines), {"labels": ["ang", "sad"], "datasheet": "x"})


def reversed_words(text: str) -> str:
    """A language of its own, in which every word is written backwards."""
    return " ".join(word[::-1] for word in text.split())


def honest(kind: str, language: str, text: str) -> Any:
    """What a good translator answers."""
    if kind == "translate":
        return {"translation": reversed_words(text)}
    back = reversed_words(text)
    return {"translation": back, "emotion": next(e for e in EMOTIONS.values() if e in back)}


def translator(answer: Answer = honest) -> Callable[[dict[str, Any], int], Reply]:
    """A script for the server."""

    def script(body: dict[str, Any], attempt: int) -> Reply:
        prompt = body["messages"][0]["content"]
        if found := re.search(r"^The line: (.*)$", prompt, re.M):
            language = re.search(r"who speaks (.*) would", prompt)[1]
            reply = answer("translate", language, found[1])
        else:
            found = re.search(r"^Somebody says in (.*?): (.*)$", prompt, re.M)
            reply = answer("check", found[1], found[2])
        return reply if isinstance(reply, Reply) else completion(reply if isinstance(reply, str) else json.dumps(reply))

    return script


def run(out: Path, server: ChatServer, source: Corpus | None = None, **options: Any) -> GenerationReport:
    names = set(Endpoint.model_fields) & set(options)
    settings = {"concurrency": 3, "timeout": 60, "patience": Patience(attempts=3, wait=0.001, wait_max=0.01)}
    settings |= {name: options.pop(name) for name in names}
    endpoint = Endpoint(base_url=server.url, model="m", **settings)
    return translate(source or corpus(), out, **{"languages": ["fr", "cmn"], "endpoint": endpoint, **options})


def test_every_sentence_in_every_language(tmp_path: Path) -> None:
    with serving(translator()) as server:
        made = run(tmp_path / "out", server).corpus

    assert Counter((u.language, u.label) for u in made) == {(t, e): 6 for t in ("en", "fr", "cmn") for e in EMOTIONS}
    assert [u.id for u in made][:4] == ["d0-0", "d0-0-fr", "d0-0-cmn", "d0-1"]
    assert made.card["language"] == ["en", "fr", "cmn"]
    assert made.card["labels"] == ["ang", "sad"]
    assert made.utterances[4].model_dump(exclude_none=True) == {
        "id": "d0-1-fr",
        "text": "eniL rebmun 1 fo eht yrgna eno",
        "label": "ang",
        "speaker": "d0-B-fr",
        "gender": "male",
        "language": "fr",
        "dialogue": "d0",
        "turn": 1,
        "parallel": "d0-1",
        "back_translation": "Line number 1 of the angry one",
        "similarity": 100.0,
        "translated_by": "m",
    }
    assert made.utterances[3].extra == {"parallel": "d0-1"}


def test_prompts_tell_what_a_translator_must_know_and_a_judge_must_not(tmp_path: Path) -> None:
    with serving(translator()) as server:
        run(tmp_path / "out", server, languages=["cmn"])
        prompts = [body["messages"][0]["content"] for body in server.bodies]
        schemas = [body["response_format"]["json_schema"] for body in server.bodies]
    formats = [schema["schema"] for schema in schemas]
    judged = {("emotion" in schema["schema"]["properties"], schema["name"]) for schema in schemas}
    assert judged == {(False, "translation"), (True, "translation-check")}

    (told,) = [p for p in prompts if "The line: Line number 1 of" in p]
    assert "from English into Mandarin Chinese" in told
    assert "a man who speaks" in told
    assert "The speaker is angry" in told
    assert "What was said just before (do not translate it): Line number 0 of" in told
    (judged,) = [p for p in prompts if "Somebody says in Mandarin Chinese: eniL rebmun 1 fo" in p]
    assert "Choose one of: angry, sad." in judged
    assert "Line number 1" not in judged
    assert {"enum": ["angry", "sad"], "type": "string"} in [f["properties"].get("emotion") for f in formats]


def spoils(where: str, number: int, reply: Any) -> Answer:
    """An answer to the one request about the line of a number, honest to all others."""

    def answer(kind: str, language: str, text: str) -> Any:
        said = reversed_words(text) if kind == "check" else text
        return (
            reply
            if (kind, language) == (where, "French") and f"number {number} " in said
            else honest(kind, language, text)
        )

    return answer


@pytest.mark.parametrize(
    ("where", "reply", "reason"),
    [
        ("translate", "I cannot do that.", "translation: no JSON"),
        ("translate", completion('{"translation": "Li', finish="length"), "translation: cut off"),
        ("translate", {"translation": "(laughs)"}, "translation: no text"),
        ("translate", {"translation": "Line number 5 of the angry one"}, "translation: not translated"),
        ("translate", completion(None, refusal="No."), "translation: refusal"),
        ("translate", failure(500), "translation: no answer"),
        ("check", "no", "check: no JSON"),
        ("check", {"emotion": "angry"}, "check: no text"),
        ("check", {"translation": "Something else altogether", "emotion": "angry"}, "meaning"),
        ("check", {"translation": "Line number 5 of the angry one", "emotion": "sad"}, "emotion"),
        ("check", {"translation": "Line number 5 of the angry one", "emotion": "livid"}, "emotion"),
    ],
)
def test_what_is_wrong_is_dropped_and_counted(tmp_path: Path, where: str, reply: Any, reason: str) -> None:
    with serving(translator(spoils(where, 5, reply))) as server:
        report = run(tmp_path / "out", server, balance=False)

    assert report.card["drops"] == {reason: 1}
    assert {u.id for u in corpus()} <= {u.id for u in report.corpus}
    assert len(report.corpus) == 35
    assert "d1-1-fr" not in {u.id for u in report.corpus}
    assert reason in report.summary()


def test_balance_takes_first_what_most_languages_have(tmp_path: Path) -> None:
    reply = {"translation": "Something else altogether", "emotion": "angry"}
    with serving(translator(spoils("check", 0, reply))) as server:
        report = run(tmp_path / "out", server)
    made = report.corpus

    assert Counter((u.language, u.label) for u in made) == {(t, e): 5 for t in ("en", "fr", "cmn") for e in EMOTIONS}
    assert "d0-0" not in {u.extra["parallel"] for u in made}
    assert report.card["drops"] == {"meaning": 1, "over the balance of language and emotion": 5}


def test_a_run_that_was_cut_short_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    with serving(translator()) as server:
        run(tmp_path / "whole", server)
        part = run(tmp_path / "part", server, budget=Budget(requests=20))
        assert part.card["stopped_by"] == "budget: requests (20)"
        assert part.card["drops"]["budget"] == 14
        asked = len(server.bodies)
        full = run(tmp_path / "part", server)
        assert len(server.bodies) - asked == 48 - 20
        assert full.resumed == 20
        again = run(tmp_path / "part", server)
        assert len(server.bodies) == asked + 28

    assert again.card == full.card
    for name in (MANIFEST, CARD):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_half_a_line_in_the_store_is_asked_for_again(tmp_path: Path) -> None:
    with serving(translator()) as server:
        run(tmp_path / "a", server)
        run(tmp_path / "b", server)
        stored = tmp_path / "b" / RESPONSES
        stored.write_bytes(stored.read_bytes()[:-30])
        for name in (MANIFEST, CARD):
            (tmp_path / "b" / name).unlink()
        assert run(tmp_path / "b", server).resumed == 47
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()


def test_another_run_is_not_written_over(tmp_path: Path) -> None:
    with serving(translator()) as server:
        run(tmp_path / "out", server)
        with pytest.raises(StageError, match="holds the output of another run"):
            run(tmp_path / "out", server, languages=["de"])
        assert run(tmp_path / "out", server, languages=["de"], overwrite=True).corpus.card["language"] == ["en", "de"]


def test_nothing_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    with (
        serving(translator(lambda *_: {"translation": "x y z", "emotion": "sad"})) as server,
        pytest.raises(GenerationError, match=r"no translation passed \(meaning 24\); the answers are kept"),
    ):
        run(tmp_path / "out", server)


def test_an_emotion_that_a_language_lost_cannot_be_balanced(tmp_path: Path) -> None:
    def angry(kind: str, language: str, text: str) -> Any:
        return honest(kind, language, text) | ({"emotion": "angry"} if kind == "check" else {})

    with serving(translator(angry)) as server:
        with pytest.raises(
            GenerationError, match=r"a language has nothing of some emotion \(emotion 12\), expected some"
        ):
            run(tmp_path / "out", server)
        assert len(run(tmp_path / "out", server, balance=False).corpus) == 24


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"language": "de"}, {}, "corpus 'mine': language: got de, en, expected one"),
        ({"text": " "}, {}, "corpus 'mine', utterance 'd0-0': expected a text and a label"),
        ({"label": None}, {}, "corpus 'mine', utterance 'd0-0': expected a text and a label"),
        (
            {},
            {"languages": ["fr", "en"]},
            "--to: got 'fr,en', expected different languages other than the corpus's, en",
        ),
        ({}, {"languages": []}, "--to: got '', expected different languages"),
        ({}, {"similarity_model": "x"}, "--min-similarity: missing, expected one that fits --similarity-model"),
    ],
)
def test_refuses(tmp_path: Path, change: dict[str, Any], options: dict[str, Any], message: str) -> None:
    first, *rest = corpus()
    source = Corpus("mine", Path(), (first.with_(**change), *rest))
    with serving(translator()) as server, pytest.raises((GenerationError, CorpusError), match=message):
        run(tmp_path / "out", server, source, **options)


@pytest.mark.parametrize("which", ["prompt", "check_prompt"])
def test_a_template_that_cannot_be_filled_is_told_as_it_is(tmp_path: Path, which: str) -> None:
    template = tmp_path / "mine.j2"
    template.write_text("Translate {{ something }}.", encoding="utf-8")
    with serving(translator()) as server, pytest.raises(GenerationError, match="prompt: 'something' is undefined"):
        run(tmp_path / "out", server, **{which: template})
