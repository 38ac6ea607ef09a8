"""The stage that brings a text corpus into further languages, sentence by sentence, and checks what came of it.

Every answer is stored as it arrives: a run that was killed asks only for what is missing, and ends with the same bytes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.atomic import remove_parts
from zero_shot_emotion.corpus.corpus import write_corpus
from zero_shot_emotion.corpus.stage import inherited
from zero_shot_emotion.corpus.unfinished import unfinished
from zero_shot_emotion.errors import UserError

from .by_endpoint import finished
from .client import Client, UnansweredError
from .completion import Completion, completion_of
from .endpoint import Endpoint, key_from_environment
from .errors import GenerationError
from .prompt import fill_template, template_text
from .rounds import COMPLETE, first_error
from .similarity import MIN_CHRF, Similarity, by_encoder, chrf
from .spending import Spending
from .store import Response, ResponseStore
from .summary import GenerationReport
from .translation import (
    Checked,
    Job,
    UnusableError,
    check_schema,
    check_variables,
    read_check,
    read_translation,
    translation_schema,
    translation_variables,
)

AHEAD = 2
"""Jobs under way for each request at a time."""


def translate(
    corpus: Corpus,
    out: str | Path,
    *,
    languages: Sequence[str],
    endpoint: Endpoint,
    prompt: str | Path = "translate",
    check_prompt: str | Path = "translation-check",
    similarity_model: str | None = None,
    min_similarity: float | None = None,
    balance: bool = True,
    seed: int = 0,
    overwrite: bool = False,
) -> GenerationReport:
    """Have a language model translate a corpus, and keep what means and feels the same.

    A translation is dropped, and counted by reason, if its way back is not near enough to the source (``meaning``), or
    if the model, shown the translation alone, names another emotion than the label (``emotion``).

    Args:
        corpus: with text and labels, in one language.
        out: folder of the new corpus, which holds the source too. The column ``parallel`` is shared by the utterances
            of one sentence; dialogues keep their names in all languages, so that splits by dialogue stay sound;
            speakers get the language's tag.
        languages: tags of the targets.
        endpoint: of the language model.
        prompt: a shipped template's name, or the path of one.
        check_prompt: likewise.
        similarity_model: a multilingual sentence encoder that compares source and translation, instead of chrF on
            source and back-translation.
        min_similarity: from 0 to 100; needed with an encoder, whose scale is its own.
        balance: keep equally many of each language and emotion, those first that exist in most languages.
        seed: of the requests.
        overwrite: replace the corpus of another run. Stored answers that fit are used, not paid for again.

    Raises:
        GenerationError: on a corpus without text, labels or one language, a target that is the source, or if nothing
            is left.
        EndpointError: if the endpoint refuses or does not answer.
        StageError: if the folder holds another corpus.
    """
    out, start = Path(out), time.monotonic()
    source = _source_language(corpus, languages)
    if similarity_model is not None and min_similarity is None:
        raise GenerationError("--min-similarity: missing, expected one that fits --similarity-model, from 0 to 100")
    least = MIN_CHRF if min_similarity is None else min_similarity
    templates = (template_text(prompt), template_text(check_prompt))
    labels = sorted({str(u.label) for u in corpus})
    identity = [source, labels, endpoint.sampling(), templates, seed]
    base = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    jobs = list(_jobs(corpus, languages, base))
    whole = [base, [job.key for job in jobs], [u.to_line() for u in corpus], similarity_model, least, balance]
    fingerprint = sha256(json.dumps(whole).encode()).hexdigest()[:16]
    if not overwrite and (card := finished(out, fingerprint)) is not None:
        return GenerationReport("translate", out, card, {}, card["answers"]["asked"], time.monotonic() - start)
    near = chrf if similarity_model is None else by_encoder(similarity_model)
    with unfinished(out, "translate"), ResponseStore(out) as store:
        run = _Run(endpoint, templates, source, labels, store, near, similarity_model is None, least)
        retries = asyncio.run(run.all(jobs))
        if not run.kept:
            raise GenerationError(f"{out}: no translation passed ({_counted(run.drops)}); the answers are kept")
        kept = [u.with_(parallel=u.id) for u in corpus] + run.kept
        cut = _balanced(kept, (source, *languages)) if balance else kept
        if not cut:
            raise GenerationError(
                f"{out}: a language has nothing of some emotion ({_counted(run.drops)}), expected some of each to "
                "balance; the answers are kept, and --no-balance takes what there is"
            )
        if dropped := len(kept) - len(cut):
            run.drops["over the balance of language and emotion"] += dropped
        card = {
            "name": f"{corpus.name}-translated",
            "stage": "translate",
            "description": f"{corpus.name}, and what {endpoint.model} made of it in {', '.join(languages)}; checked.",
            "source": {"name": corpus.name, "fingerprint": corpus.card.get("fingerprint")},
            **inherited(corpus.card),
            "language": [source, *languages],
            "endpoint": endpoint.base_url,
            "sampling": endpoint.sampling(),
            "prompts": {
                Path(p).name: sha256(t.encode()).hexdigest()
                for p, t in zip((prompt, check_prompt), templates, strict=True)
            },
            "similarity": {"by": similarity_model or "chrF of the back-translation", "least": least},
            "asked": len(jobs) + len(corpus),
            "balance": balance,
            "seed": seed,
            "versions": {"zero-shot-emotion": __version__},
            "fingerprint": fingerprint,
            **run.statistics(len(jobs)),
        }
        remove_parts(out)
        card = write_corpus(out, cut, card)
    return GenerationReport("translate", out, card, {}, run.replayed, time.monotonic() - start, retries)


def _source_language(corpus: Corpus, languages: Sequence[str]) -> str:
    found = sorted({u.language or "none" for u in corpus})
    if len(found) != 1 or found == ["none"]:
        raise GenerationError(
            f"corpus {corpus.name!r}: language: got {', '.join(found) or 'no utterances'}, expected one"
        )
    for utterance in corpus:
        if not (utterance.text or "").strip() or utterance.label is None:
            raise GenerationError(f"corpus {corpus.name!r}, utterance {utterance.id!r}: expected a text and a label")
    wrong = [tag for tag in languages if tag == found[0] or list(languages).count(tag) > 1]
    if wrong or not languages:
        raise GenerationError(
            f"--to: got {','.join(languages)!r}, expected different languages other than the corpus's, {found[0]}"
        )
    return found[0]


def _jobs(corpus: Corpus, languages: Sequence[str], base: str) -> Iterator[Job]:
    """Utterance by utterance, each in all languages: a run that ends early has parallel ones."""
    index, before = 0, _before(corpus)
    for utterance in corpus:
        for language in languages:
            told = [
                base,
                language,
                utterance.text,
                utterance.label,
                utterance.gender,
                before.get(utterance.id),
                utterance.id,
            ]
            key = sha256(json.dumps(told).encode()).hexdigest()[:12]
            yield Job(index, key, utterance, language, before.get(utterance.id))
            index += 1


def _before(corpus: Corpus) -> dict[str, str | None]:
    """What was said just before each utterance of a dialogue whose turns are known."""
    texts = {(u.dialogue, u.turn): u.text for u in corpus if u.dialogue is not None and u.turn is not None}
    return {u.id: texts.get((u.dialogue, u.turn - 1)) for u in corpus if u.dialogue is not None and u.turn is not None}


@dataclass
class _Run:
    """All that a run holds together; what is kept follows from the answers, never from when they came."""

    endpoint: Endpoint
    templates: tuple[str, str]
    source: str
    labels: Sequence[str]
    store: ResponseStore
    near: Similarity
    backwards: bool
    least: float
    kept: list[Utterance] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)
    gathered: int = 0
    replayed: int = 0
    limit: str | None = None

    def __post_init__(self) -> None:
        self.spending = Spending(self.endpoint.budget, self.endpoint.prices, self.endpoint.max_tokens)

    async def all(self, jobs: Sequence[Job]) -> dict[str, int]:
        """Ask and gather; returns how many attempts had to be repeated, by reason."""
        from tqdm import tqdm

        mininterval = 0.2 if sys.stderr.isatty() else 10
        try:
            with tqdm(total=len(jobs), desc="translate", unit="sentence", mininterval=mininterval) as bar:
                async with Client(self.endpoint, key_from_environment()) as client, asyncio.TaskGroup() as tasks:
                    client.answered = len(self.store)  # an endpoint that answered before is not set up wrongly
                    await self._ask_and_gather(client, tasks, deque(jobs), bar)
                    return dict(client.retries)
        except* UserError as errors:  # the endpoint's, or of a template that cannot be filled
            raise first_error(errors) from None

    async def _ask_and_gather(self, client: Client, tasks: asyncio.TaskGroup, waiting: deque[Job], bar: Any) -> None:
        under_way: deque[tuple[Job, tuple[str, str], asyncio.Task[list[Completion | None]]]] = deque()
        while True:
            while (
                waiting
                and len(under_way) < AHEAD * self.endpoint.concurrency
                and (prompts := self._pledged(waiting[0]))
            ):
                job = waiting.popleft()
                under_way.append((job, prompts, tasks.create_task(self._ask(client, job, prompts[0]))))
            if not under_way:
                return
            job, prompts, task = under_way.popleft()
            self._gather(job, prompts, await task)
            bar.update()
            bar.set_postfix(kept=len(self.kept), dropped=self.drops.total(), refresh=False)
            await asyncio.sleep(0)  # waiting for a task that is done lets nothing else happen

    def _pledged(self, job: Job) -> tuple[str, str] | None:
        """The prompts of a job, with which the budget reckons now; None if they do not fit in."""
        prompts = self._prompts(job)
        self.limit = self.spending.limit_met_by(*prompts)
        if self.limit:
            return None
        for prompt in prompts:
            self.spending.pledge(prompt)
        return prompts

    def _prompts(self, job: Job) -> tuple[str, str]:
        """The prompt of the translation, and one about as long as that of the check will be, to reckon with."""
        return self._translation_prompt(job), self._check_prompt(job, job.utterance.text or "")

    def _translation_prompt(self, job: Job) -> str:
        return fill_template(self.templates[0], translation_variables(job, self.source))

    def _check_prompt(self, job: Job, text: str) -> str:
        return fill_template(self.templates[1], check_variables(job, self.source, text, self.labels))

    async def _ask(self, client: Client, job: Job, prompt: str) -> list[Completion | None]:
        """The answers to both requests; the second is made only if the first brought something."""
        first = await self._answer(client, f"{job.key}-t", job, prompt, "translation", translation_schema())
        try:
            text = read_translation(first, job.utterance.text or "")
        except UnusableError:
            return [first]
        checking, schema = self._check_prompt(job, text), check_schema(self.labels)
        return [first, await self._answer(client, f"{job.key}-c", job, checking, "translation-check", schema)]

    async def _answer(
        self, client: Client, key: str, job: Job, prompt: str, name: str, schema: dict[str, Any]
    ) -> Completion | None:
        """The stored answer to a request, or a new one, stored; None if it failed."""
        response = self.store.get(key)
        if response is not None and response.prompt == prompt:
            self.replayed += 1
        else:
            seed = None if self.endpoint.seed is None else int(job.key[:7], 16)
            try:
                body = await client.ask(prompt, name=name, schema=schema, seed=seed)
                response = Response(key, job.index, prompt, body)
            except UnansweredError as error:
                response = Response(key, job.index, prompt, failure=str(error))
            self.store.add(response)
        return None if response.body is None else completion_of(response.body)

    def _gather(self, job: Job, prompts: tuple[str, str], answers: list[Completion | None]) -> None:
        self.gathered += 1
        for prompt, answer in zip(prompts, answers, strict=False):
            self.spending.settle(prompt, answer)
        for prompt in prompts[len(answers) :]:
            self.spending.withdraw(prompt)
        try:
            text = read_translation(answers[0], job.utterance.text or "")
        except UnusableError as error:
            self.drops[f"translation: {error}"] += 1
            return
        try:
            checked = read_check(answers[1], text)
        except UnusableError as error:
            self.drops[f"check: {error}"] += 1
            return
        self._judge(job, checked)

    def _judge(self, job: Job, checked: Checked) -> None:
        source = job.utterance.text or ""
        similarity = self.near(checked.back if self.backwards else checked.text, source)
        if similarity < self.least:
            self.drops["meaning"] += 1
        elif checked.emotion != job.utterance.label:
            self.drops["emotion"] += 1
        else:
            self.kept.append(self._utterance(job, checked, similarity))

    def _utterance(self, job: Job, checked: Checked, similarity: float) -> Utterance:
        source = job.utterance
        return source.with_(
            id=job.id,
            text=checked.text,
            language=job.language,
            speaker=None if source.speaker is None else f"{source.speaker}-{job.language}",
            parallel=source.id,
            back_translation=checked.back,
            similarity=similarity,
            translated_by=self.endpoint.model,
        )

    def statistics(self, jobs: int) -> dict[str, Any]:
        """What the card tells of the run: the same, however often it was interrupted."""
        spent = self.spending.spent
        return {
            "stopped_by": f"budget: {self.limit}" if self.limit else COMPLETE,
            "answers": {"asked": self.spending.requests},
            "turns": jobs,
            "yield": round(len(self.kept) / jobs, 4) if jobs else 0.0,
            "drops": dict(sorted((self.drops + Counter({"budget": jobs - self.gathered})).items())),
            "tokens": {
                "prompt": spent.prompt,
                "completion": spent.completion,
                "per_utterance": round((spent.prompt + spent.completion) / max(1, len(self.kept)), 1),
                "answers_estimated": self.spending.estimated,
            },
            "cost": self.spending.cost(),
        }


def _balanced(utterances: Sequence[Utterance], languages: Sequence[str]) -> list[Utterance]:
    """Equally many of each language and emotion, in the order of the source, those first that most languages have."""
    spread = Counter(u.extra["parallel"] for u in utterances)
    place = {parallel: n for n, parallel in enumerate(dict.fromkeys(u.extra["parallel"] for u in utterances))}
    cells: dict[tuple[str, str], list[Utterance]] = {
        (language, str(label)): [] for language in languages for label in dict.fromkeys(u.label for u in utterances)
    }
    for utterance in sorted(utterances, key=lambda u: (-spread[u.extra["parallel"]], place[u.extra["parallel"]])):
        cells[str(utterance.language), str(utterance.label)].append(utterance)
    least = min(map(len, cells.values()))
    taken = {u.id for found in cells.values() for u in found[:least]}
    order = {language: n for n, language in enumerate(languages)}
    kept = (u for u in utterances if u.id in taken)
    return sorted(kept, key=lambda u: (place[u.extra["parallel"]], order[str(u.language)]))


def _counted(drops: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in drops.most_common()) or "none was asked for"
