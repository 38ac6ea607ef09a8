"""How well synthetic emotional speech trains a classifier for real emotional speech, of which nothing is seen.

``python benchmarks/transfer.py -t emodb:PATH -t nemo:PATH --work FOLDER`` makes the corpora (shipped text, espeak-ng,
rules), takes features, trains on each source, tests on each target, and prints a table in Markdown. What the work
folder holds already is not made again. eGeMAPS needs ``pip install opensmile``; without it there is only log-mel.

Strictly zero-shot: the source alone gives the model, its standardisation, and all else. A second table, never to be
mixed with the first, is transductive. Both sides lose the silence at their edges and are set to one level.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from tqdm import tqdm

from augmentation import augment
from injection import inject, load_rules
from zero_shot_emotion.acoustics import Conditioning
from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.corpus import FOUR, Corpus
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.metrics import interval

Array = npt.NDArray[np.float64]

RATE = 16_000
CONDITIONING = Conditioning(level_db=-26.0, trim=True)
CLASSES = tuple(FOUR.classes)
PENALTY = 0.07
"""C times the number of training utterances: strong, and the same at any size."""
CLIP = 2.0
"""Standard deviations."""
FEATURES = ("eGeMAPS", "log-mel") if find_spec("opensmile") else ("log-mel",)


@dataclass(frozen=True)
class Data:
    """A corpus in numbers."""

    features: dict[str, Array]
    labels: npt.NDArray[np.int64]
    speakers: npt.NDArray[np.str_]
    dialogues: npt.NDArray[np.str_]

    def take(self, which: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Data":
        """Some of the utterances."""
        features = {name: values[which] for name, values in self.features.items()}
        return Data(features, self.labels[which], self.speakers[which], self.dialogues[which])

    def draw(self, n: int, seed: int) -> "Data":
        """So many utterances at random, each class as often as it can be."""
        shuffled = np.random.default_rng(seed).permutation(len(self.labels))
        ranks = np.empty(len(shuffled))
        for c in np.unique(self.labels):
            own = shuffled[self.labels[shuffled] == c]
            ranks[own] = np.arange(len(own))
        return self.take(np.sort(shuffled[np.argsort(ranks[shuffled], kind="stable")[:n]]))

    def by_own_speaker(self) -> "Data":
        """Transductive: each speaker's features standardised by all speech of that speaker, without labels."""
        features = {name: values.copy() for name, values in self.features.items()}
        for values in features.values():
            for speaker in np.unique(self.speakers):
                own = values[self.speakers == speaker]
                values[self.speakers == speaker] = (own - own.mean(axis=0)) / (own.std(axis=0) + 1e-9)
        return replace(self, features=features)


def joined(parts: Sequence[Data]) -> Data:
    """All utterances of several corpora."""
    return Data(
        {name: np.concatenate([part.features[name] for part in parts]) for name in FEATURES},
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.speakers for part in parts]),
        np.concatenate([part.dialogues for part in parts]),
    )


class Features:
    """Functionals of a wave."""

    def __init__(self) -> None:
        import librosa

        self._stft = librosa.stft
        self._mel = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=40, fmin=20, fmax=8000)
        if "eGeMAPS" in FEATURES:
            import opensmile

            kind = opensmile.FeatureSet.eGeMAPSv02
            self._smile = opensmile.Smile(kind, opensmile.FeatureLevel.Functionals, num_workers=1)

    def __call__(self, path: Path) -> dict[str, Array]:
        wave = CONDITIONING(read_audio(path, RATE)).wave
        power = np.abs(self._stft(wave, n_fft=512, win_length=400, hop_length=160)) ** 2
        mel = np.log(self._mel @ power + 1e-8)
        found = {"log-mel": np.concatenate([mel.mean(axis=1), mel.std(axis=1)])}
        if "eGeMAPS" in FEATURES:
            found["eGeMAPS"] = np.nan_to_num(self._smile.process_signal(wave, RATE).to_numpy()[0])
        return found


def extract(corpus: Corpus, cache: Path) -> Data:
    """A corpus's features; each file's are taken once."""
    if cache.exists():
        stored = dict(np.load(cache))
        if set(FEATURES) <= set(stored):
            features = {name: stored[name] for name in FEATURES}
            return Data(features, stored["labels"], stored["speakers"], stored["dialogues"])
    taken = Features()
    rows = [taken(corpus.audio_path(u)) for u in tqdm(corpus, desc=cache.stem, unit="utt", leave=False)]
    stacked = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in FEATURES}
    labels = np.array([CLASSES.index(u.label) for u in corpus])
    speakers = np.array([u.extra.get("voice") or u.speaker for u in corpus])
    dialogues = np.array([u.dialogue or u.id for u in corpus])
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, labels=labels, speakers=speakers, dialogues=dialogues, **stacked)
    return Data(stacked, labels, speakers, dialogues)


def rule_file(work: Path, spec: str) -> str:
    """A rule set's name or path; with ``+KEY=VALUE`` behind it, the path of one that differs in that."""
    base, *changes = spec.split("+")
    if not changes:
        return base
    rules = load_rules(base).model_dump(mode="json", exclude={"name"})
    rules |= {key: yaml.safe_load(value) for key, _, value in (change.partition("=") for change in changes)}
    path = work / f"{spec.replace('/', '-')}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
    return str(path)


@dataclass(frozen=True)
class Recipe:
    """How a synthetic corpus is made.

    Args:
        rules: a rule set, as `rule_file` takes it.
        n: utterances.
        neutral: the control.
        channel: of `augmentation`.
        engines: of `tts`; of several, each speaks some of the dialogues.
        intensity: of the rules.
    """

    rules: str
    n: int
    neutral: bool = False
    channel: str | None = None
    engines: tuple[str, ...] = ("espeak-ng",)
    intensity: float = 1.0

    def __str__(self) -> str:
        usual = Recipe(self.rules, self.n)
        told = [self.rules, "neutral control" if self.neutral else "", self.channel or ""]
        told += ["" if self.engines == usual.engines else " and ".join(self.engines)]
        told += ["" if self.intensity == usual.intensity else f"intensity {self.intensity:g}"]
        return ", ".join(filter(None, [*told, f"{self.n} utterances"]))


def make(work: Path, recipe: Recipe, seed: int, workers: int) -> Data:
    """A synthetic corpus: text, voices, jitter and what is drawn of the channel are the seed's."""
    parts = [_spoken_by(work, recipe, engine, seed, workers) for engine in recipe.engines]
    dialogues = {name: place for place, name in enumerate(dict.fromkeys(parts[0].dialogues))}
    return joined(
        [
            part.take(np.array([dialogues[name] % len(parts) == place for name in part.dialogues]))
            for place, part in enumerate(parts)
        ]
    )


def _spoken_by(work: Path, recipe: Recipe, engine: str, seed: int, workers: int) -> Data:
    from generation.generate import generate
    from tts.speak import speak

    text = work / f"text-{recipe.n}-{seed}"
    spoken = work / f"{engine}-{recipe.n}-{seed}"
    name = f"{spoken.name}-{recipe.rules}{'-neutral' if recipe.neutral else ''}-{recipe.intensity:g}"
    cache = work / "features" / f"{name}{f'-{recipe.channel}' if recipe.channel else ''}.npz"
    if cache.exists():
        return extract(Corpus("cached", work, ()), cache)
    rules = rule_file(work, recipe.rules)
    generate(text, labels=FOUR, utterances=recipe.n, seed=seed)
    speak(Corpus.load(text), spoken, engine=engine, seed=seed, workers=workers)
    known = load_rules(rules).emotions  # a set without a rule for anger, such as DAVID's, never answers it
    corpus = Corpus.load(spoken).where(lambda u: recipe.neutral or u.label in known)
    options = {"rules": rules, "seed": seed, "workers": workers, "neutral": recipe.neutral}
    made = inject(corpus, work / name, intensity=recipe.intensity, **options).corpus
    if recipe.channel:
        out = work / f"{name}-{recipe.channel}"
        made = augment(made, out, channel=recipe.channel, seed=seed, workers=workers).corpus
    return extract(made, cache)


@dataclass(frozen=True)
class Head:
    """Standardisation and logistic regression, each class of the source weighed alike.

    Args:
        penalty: of `PENALTY`; else C is 1.
        clip: at `CLIP`.
        centre: each source voice on the mean of its class means; the target is left as it is.
    """

    name: str
    strong: bool = False
    centre: bool = False

    def predict(self, source: Data, target: Data, features: str) -> npt.NDArray[np.int64]:
        """The target's classes."""
        from sklearn.linear_model import LogisticRegression

        train, test = source.features[features], target.features[features]
        mean, scale = train.mean(axis=0), train.std(axis=0) + 1e-9
        if self.centre:
            train = _centred(source, features)
            train = train / (train.std(axis=0) + 1e-9)
        else:
            train = (train - mean) / scale
        test = (test - mean) / scale
        if self.strong:
            train, test = np.clip(train, -CLIP, CLIP), np.clip(test, -CLIP, CLIP)
        penalty = PENALTY / len(train) if self.strong else 1.0
        model = LogisticRegression(C=penalty, class_weight="balanced", max_iter=5000)
        predicted: npt.NDArray[np.int64] = model.fit(train, source.labels).predict(test)
        return predicted


HEADS = (Head("plain"), Head("strong L2, clipped", strong=True), Head("+ per-voice centring", strong=True, centre=True))


def _centred(source: Data, features: str) -> Array:
    centred = source.features[features].copy()
    for speaker in np.unique(source.speakers):
        own = source.speakers == speaker
        classes = np.unique(source.labels[own])
        centred[own] -= np.mean(
            [source.features[features][own & (source.labels == c)].mean(axis=0) for c in classes], 0
        )
    return centred


def row(name: str, sources: list[Data], head: Head, features: str, targets: dict[str, Data]) -> str:
    """A line of the table; a target has mean and deviation over the sources, and the interval over its speakers."""
    cells = []
    for target_name, target in targets.items():
        if name.startswith(f"{target_name}, "):
            cells.append("")
            continue
        predicted = [head.predict(source, target, features) for source in sources]
        truth, groups = np.tile(target.labels, len(sources)), np.tile(target.speakers, len(sources))
        found = interval("UAR", truth, np.concatenate(predicted), len(CLASSES), list(groups))
        each = [recall_average(target.labels, p) for p in predicted]
        spread = f" ± {np.std(each, ddof=1):.3f}" if len(each) > 1 else ""
        recalls = " ".join(
            f"{np.mean([(p[target.labels == c] == c).mean() for p in predicted]):.2f}" for c in range(len(CLASSES))
        )
        cells.append(f"{found.value:.3f}{spread} [{found.low:.2f}, {found.high:.2f}] ({recalls})")
    return f"| {name} | {features} | {head.name} | " + " | ".join(cells) + " |"


def recall_average(truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64]) -> float:
    """UAR."""
    return float(np.mean([(predicted[truth == c] == c).mean() for c in np.unique(truth)]))


def rows(sources: dict[str, list[Data]], targets: dict[str, Data]) -> Iterator[str]:
    """The table."""
    yield f"| source | features | head | {' | '.join(targets)} |"
    yield "|---|---|---|" + "---|" * len(targets)
    for name, data in sources.items():
        for features in FEATURES:
            for head in HEADS:
                yield row(name, data, head, features, targets)


def wanted(options: argparse.Namespace) -> Iterator[Recipe]:
    """Each rule set as it is and through each channel; of the first, also other engines, intensities and sizes."""
    rule_sets = options.rules or ["acted"]
    yield from (Recipe(rules, options.n, neutral=True) for rules in options.control)
    for rules in rule_sets:
        yield Recipe(rules, options.n)
        yield from (Recipe(rules, options.n, channel=channel) for channel in options.augment)
    first = rule_sets[0]
    yield from (Recipe(first, options.n, engines=tuple(engines.split(","))) for engines in options.engine)
    yield from (Recipe(first, options.n, intensity=intensity) for intensity in options.intensity)
    yield from (Recipe(first, n) for n in options.size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    many = {"action": "append", "default": []}
    parser.add_argument("-t", "--target", action="append", required=True, help="READER:PATH or a corpus folder")
    parser.add_argument("-r", "--rules", action="append", help="a rule set, or acted+spectrum=0")
    parser.add_argument("--control", **many, help="a rule set whose neutral control is tried too")
    parser.add_argument("-a", "--augment", **many, help="a channel that each rule set's speech goes through too")
    parser.add_argument("--engine", **many, help="ENGINE or ENGINE,ENGINE that speaks for the first rule set too")
    parser.add_argument("--intensity", type=float, **many, help="of the first rule set, tried too")
    parser.add_argument("--size", type=int, **many, help="utterances of the first rule set, tried too")
    parser.add_argument("-n", type=int, default=240, help="utterances of each synthetic corpus")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("result/transfer"))
    parser.add_argument("-j", "--workers", type=int, default=2)
    options = parser.parse_args()
    if "eGeMAPS" not in FEATURES:
        print("eGeMAPS is left out: it needs pip install opensmile\n")
    targets = {}
    for spec in options.target:
        corpus, _ = open_corpus(spec).with_labels(FOUR)
        targets[corpus.name] = extract(corpus, options.work / "features" / f"real-{corpus.name}.npz")
    seeds = range(options.seeds)
    sources = {
        str(recipe): [make(options.work, recipe, seed, options.workers) for seed in seeds] for recipe in wanted(options)
    }
    for name, data in targets.items():
        sources[f"{name}, {options.n} utterances"] = [data.draw(options.n, seed) for seed in seeds]
        sources[f"{name}, all {len(data.labels)} utterances"] = [data]
    print(f"UAR, mean ± SD over {options.seeds} seeds [95% over the target's speakers] (recall {', '.join(CLASSES)})\n")
    print("Strictly zero-shot:\n")
    print("\n".join(rows(sources, targets)))
    print(
        "\nTransductive, another task: each speaker, of source and target, by the statistics of all their own speech:\n"
    )
    sources = {name: [one.by_own_speaker() for one in data] for name, data in sources.items()}
    print("\n".join(rows(sources, {name: data.by_own_speaker() for name, data in targets.items()})))


if __name__ == "__main__":
    main()
