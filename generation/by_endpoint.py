"""The provider that asks a language model, through whatever endpoint speaks OpenAI's chat completions.

Every answer is stored as it arrives. A run that was killed asks again only for what is not stored, and ends with the
same corpus, to the byte.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import CARD, MANIFEST, LabelSet, Utterance
from zero_shot_emotion.corpus.atomic import remove_parts
from zero_shot_emotion.corpus.corpus import load_card, write_corpus
from zero_shot_emotion.corpus.splits import draw_groups
from zero_shot_emotion.corpus.stage import JOURNAL, StageError
from zero_shot_emotion.corpus.unfinished import unfinished

from .datasheet import Datasheet
from .endpoint import Endpoint
from .errors import GenerationError
from .harvest import Harvest
from .lengths import lengths_of
from .plan import Plan
from .prompt import template_text
from .rounds import COMPLETE, Rounds
from .spending import Spending
from .store import RESPONSES, ResponseStore
from .summary import GenerationReport

PROVIDER = "endpoint"
DEFAULT_PROMPT = "dialogue"


def generate_by_endpoint(
    out: str | Path,
    sheet: Datasheet,
    endpoint: Endpoint,
    *,
    labels: LabelSet,
    utterances: int | None,
    prompt: str | Path = DEFAULT_PROMPT,
    test_ratio: float = 0.0,
    seed: int = 0,
    overwrite: bool = False,
) -> GenerationReport:
    """Ask a language model for dialogues until there are enough utterances of each class.

    The run ends early, with what there is, when the budget does not allow another request, or when many rounds in
    succession bring nothing. The same call goes on where a run ended, with a larger budget too.

    Args:
        out: folder of the new corpus, and of the answers (in ``raw/``), which no overwriting touches.
        sheet: of the corpus to be imitated.
        endpoint: of the language model.
        labels: the classes; turns of other emotions are left out and counted.
        utterances: how many, divided over the classes as evenly as it goes.
        prompt: a shipped template's name, or the path of one.
        test_ratio: share of the utterances that form a split ``test``.
        seed: fixes the plan and the splits.
        overwrite: replace the corpus of another run. Stored answers that fit are used, not paid for again.

    Raises:
        GenerationError: if no or too few utterances are asked for, or none could be had.
        EndpointError: if the endpoint refuses or does not answer.
        StageError: if the folder holds another corpus.
    """
    out, start = Path(out), time.monotonic()
    if utterances is None or utterances < len(labels.classes):
        raise GenerationError(f"-n: got {utterances} utterances, expected at least one for each class of {labels.name}")
    template = template_text(prompt)
    plan = Plan(sheet, labels, endpoint.sampling(), template, seed)
    fingerprint = sha256(f"{plan.fingerprint} {utterances} {test_ratio}".encode()).hexdigest()[:16]
    if not overwrite and (card := finished(out, fingerprint)) is not None:
        return GenerationReport("generate", out, card, {}, card["answers"]["asked"], time.monotonic() - start)

    origin = {
        "name": f"{sheet.name}-like",
        "stage": "generate",
        "description": (
            f"Dialogues like those of {sheet.title}, written by {endpoint.model} from the datasheet and a prompt of "
            "zero-shot-emotion. Nothing of the corpus itself was used."
        ),
        "provider": PROVIDER,
        "endpoint": endpoint.base_url,
        "sampling": endpoint.sampling(),
        "datasheet": sheet.name,
        "published": lengths_of(sheet).published(),
        "language": sheet.language,
        "prompt": {"template": Path(prompt).name, "sha256": sha256(template.encode()).hexdigest()},
        "labels": list(labels.classes),
        "asked": utterances,
        "test_ratio": test_ratio,
        "seed": seed,
        "versions": {"zero-shot-emotion": __version__},
        "fingerprint": fingerprint,
    }
    harvest = Harvest(sheet, labels, utterances, endpoint.model)
    spending = Spending(endpoint.budget, endpoint.prices, endpoint.max_tokens)
    with (
        unfinished(out, "generate"),
        ResponseStore(out) as store,
        TemporaryFile("w+", encoding="utf-8", newline="\n") as accepted,
    ):
        rounds = Rounds(sheet, endpoint, template, plan, harvest, spending, store, accepted)
        retries = asyncio.run(rounds.run())
        remove_parts(out)
        card = write_corpus(out, _with_splits(accepted, test_ratio, seed), {**origin, **rounds.statistics()})
    report = GenerationReport("generate", out, card, {}, rounds.replayed, time.monotonic() - start, retries)
    if not harvest.accepted:
        raise GenerationError(f"{out}: nothing that the model wrote could be used.\n{report.summary()}")
    return report


def finished(out: Path, fingerprint: str) -> dict[str, Any] | None:
    """The card of a corpus that this very run completed before, None if there is something left to do."""
    card = load_card(out)
    if card.get("fingerprint") == fingerprint:
        return card if card.get("stopped_by") == COMPLETE else None
    ours = (out / RESPONSES).exists() and not (out / JOURNAL).exists()
    if (out / CARD).exists() or ((out / MANIFEST).exists() and not ours):  # a kill may leave our manifest without card
        raise StageError(
            f"{out} holds the output of another run (its config or its input differ): choose another folder, or "
            f"replace that corpus with --overwrite; the answers in {RESPONSES} are kept, and used where they fit"
        )
    return None


def _with_splits(accepted: IO[str], test_ratio: float, seed: int) -> Iterator[Utterance]:
    """The accepted utterances with their splits, read back one by one: the corpus is never held.

    Of each dialogue only how many utterances of each label it has need be known. Nobody speaks in two dialogues, so
    that this draws what `draw_test_split` draws.

    Raises:
        GenerationError: if there is only one dialogue.
    """
    if test_ratio == 0:
        yield from _read_back(accepted)
        return
    counts: dict[str | None, Counter[str | None]] = {}
    for utterance in _read_back(accepted):
        counts.setdefault(utterance.dialogue, Counter())[utterance.label] += 1
    if len(counts) == 1:
        raise GenerationError(f"--test-ratio {test_ratio}: got one dialogue, expected at least two to be parted")
    test = draw_groups(counts, test_ratio, seed) if counts else set()
    for utterance in _read_back(accepted):
        yield utterance.with_(split="test" if utterance.dialogue in test else "train")


def _read_back(accepted: IO[str]) -> Iterator[Utterance]:
    accepted.seek(0)
    return (Utterance.model_validate_json(line) for line in accepted)
