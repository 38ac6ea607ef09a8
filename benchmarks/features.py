"""What stored features save, as ratios within one run on a CPU.

``python benchmarks/features.py training`` times a run of s3prl's own runner on stored features: 13 layers of width
768, 5,000 utterances, batches of 32. ``python benchmarks/features.py extraction`` times the pass of a base-size
upstream with random weights over clips of mixed length against s3prl's own forward on random batches of eight, in
turns, and says what s3prl's way would cost the seed work's schedule (15,000 steps of 8 x 4 utterances). CPU time is
given beside the time on the clock: on a machine with other work the clock says little.
"""

import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import yaml

from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.corpus import FOUR, Corpus, Utterance
from zero_shot_emotion.features import UpstreamSpec, audio_hash
from zero_shot_emotion.features.extraction import BATCH_SECONDS
from zero_shot_emotion.features.frozen import FrozenUpstream, bucket
from zero_shot_emotion.features.store import shard_path, write_card, write_shard
from zero_shot_emotion.s3prl_plugin.launcher import run_downstream
from zero_shot_emotion.settings import default_config

UTTERANCES, LAYERS, WIDTH = 5000, 13, 768
STEPS, EFFECTIVE_BATCH, BUDGET = 15_000, 32, 90.0
SEEDS = 5
SHARD = 125
SHORTEST, LONGEST, CLIPS, RANDOM_BATCH, ROUNDS = 1.0, 8.0, 16, 8, 2


def random_store(folder: Path) -> tuple[Path, Path]:
    """A corpus of short noise, and a store of random features for it."""
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    utterances = []
    for i in range(UTTERANCES):
        name = f"audio/u{i:04d}.wav"
        write_audio(folder / "corpus" / name, Audio(0.1 * rng.standard_normal(1600), 16_000))
        utterances.append(Utterance(id=f"u{i:04d}", file_name=name, label=FOUR.classes[i % 4], dialogue=f"d{i % 100}"))
    Corpus("noise", folder / "corpus", tuple(utterances)).save(folder / "corpus")
    for number, start in enumerate(range(0, UTTERANCES, SHARD)):
        hashes = [audio_hash(folder / "corpus" / str(u.file_name)) for u in utterances[start : start + SHARD]]
        tensors = {
            "audio": torch.from_numpy(np.stack([np.frombuffer(digest, dtype=np.uint8) for digest in hashes])),
            "samples": torch.full((SHARD,), 1600),
            "frames": torch.full((SHARD,), 5),
            "features": torch.randn(SHARD, LAYERS, WIDTH, generator=generator),
        }
        write_shard(shard_path(folder / "store", number), tensors)
    key = {"upstream": "random", "checkpoint": None, "config": None, "keep": "means", "selection": "hidden_states"}
    shape = {"layers": LAYERS, "width": WIDTH, "rate": 320, "weights": ""}
    write_card(folder / "store", {"key": {**key, **shape}, "aliases": {}, "made_from": {"ckpt": None, "config": None}})
    return folder / "corpus", folder / "store"


def train(folder: Path, corpus: Path, store: Path, steps: int) -> tuple[float, float]:
    """Seconds on the clock and of CPU that s3prl's runner takes, evaluation and checkpoints included."""
    config = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    config["runner"].update(total_steps=steps, gradient_accumulate_steps=1)
    config["optimizer"]["fused"] = True
    config["downstream_expert"]["datarc"].update(train=[str(corpus)], targets={}, train_batch_size=EFFECTIVE_BATCH)
    path = folder / f"{steps}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    options = ["-m", "train", "-u", "stored", "-k", str(store), "-d", "zero_shot_emotion", "-c", str(path)]
    clock, cpu = time.perf_counter(), time.process_time()
    with (folder / "log").open("w") as log, redirect_stderr(log), redirect_stdout(log):
        run_downstream([*options, "-p", str(folder / f"run-{steps}"), "--device", "cpu"])
    return time.perf_counter() - clock, time.process_time() - cpu


def training(steps: int) -> tuple[float, float]:
    """Seconds on the clock and of CPU that the whole schedule takes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        corpus, store = random_store(folder)
        train(folder, corpus, store, 50)  # imports, and the page cache
        clock, cpu = train(folder, corpus, store, steps)
    print(
        f"{steps} steps: {clock:.1f} s, of CPU {cpu:.1f} s; {1e3 * clock / steps:.2f} ms and {1e3 * cpu / steps:.2f} ms"
    )
    for label, seconds in (("on the clock", clock), ("of CPU", cpu)):
        whole = seconds * STEPS / steps
        print(f"{STEPS} steps {label}: {whole:.1f} s, {whole / BUDGET:.2f} of the budget of {BUDGET:.0f} s")
    return clock * STEPS / steps, cpu * STEPS / steps


def base_hubert(path: Path) -> UpstreamSpec:
    """A checkpoint of HuBERT base with random weights."""
    from s3prl.upstream.hubert.hubert_model import HubertConfig, HubertModel, HubertPretrainingConfig
    from s3prl.upstream.utils import merge_with_parent

    symbols, config = [["a", "b", "c"]], {"label_rate": 50.0}
    model = HubertModel(
        merge_with_parent(HubertConfig, config),
        merge_with_parent(HubertPretrainingConfig, {"normalize": False}),
        symbols,
    )
    state = {
        "task_cfg": {"normalize": False},
        "model_cfg": config,
        "model_weight": model.state_dict(),
        "dictionaries_symbols": symbols,
    }
    torch.save(state, path)
    return UpstreamSpec("hubert_local", str(path))


def extraction(trained: tuple[float, float] | None = None) -> None:
    """Time the pass; ``trained`` is what training took where it was measured, else the budget stands for it."""
    rng = np.random.default_rng(0)
    lengths = (16_000 * rng.uniform(SHORTEST, LONGEST, CLIPS)).astype(int)
    waves = {str(i).encode(): 0.1 * rng.standard_normal(n).astype(np.float32) for i, n in enumerate(lengths)}
    with TemporaryDirectory() as name:
        upstream = FrozenUpstream(base_hubert(Path(name) / "hubert.pt"), torch.device("cpu"))
    buckets = bucket([(len(wave), name) for name, wave in waves.items()], BATCH_SECONDS["cpu"], 16_000)
    shuffled = [list(waves)[i] for i in rng.permutation(CLIPS)]
    randomly = [shuffled[i : i + RANDOM_BATCH] for i in range(0, CLIPS, RANDOM_BATCH)]

    def ours() -> None:
        for batch in buckets:
            upstream([waves[name] for name in batch])

    def stock() -> None:
        for batch in randomly:
            tensors = [torch.from_numpy(waves[name]) for name in batch]
            with torch.no_grad():
                upstream._featurizer(tensors, upstream._model(tensors))

    times: dict[str, list[tuple[float, float]]] = {"ours": [], "stock": []}
    for _ in range(ROUNDS):
        for label, run in (("ours", ours), ("stock", stock)):
            clock, cpu = time.perf_counter(), time.process_time()
            run()
            times[label].append((time.perf_counter() - clock, time.process_time() - cpu))
    for place, unit in enumerate(("on the clock", "of CPU")):
        mine, theirs = (min(pair[place] for pair in times[label]) for label in ("ours", "stock"))
        print(f"{unit}: {CLIPS / mine:.2f} utterances/s against {CLIPS / theirs:.2f}, ratio {theirs / mine:.2f}")
        pass_seconds, schedule = UTTERANCES * mine / CLIPS, STEPS * EFFECTIVE_BATCH * theirs / CLIPS
        head, how = (BUDGET, "at most") if trained is None else (trained[place], "as measured")
        print(
            f"extrapolated to the seed work's schedule {unit}: {schedule / 3600:.0f} h of s3prl's forward passes "
            f"against {pass_seconds / 3600:.2f} h for one pass over {UTTERANCES} utterances and "
            f"{head / 3600:.3f} h of training {how}: ratio {schedule / (pass_seconds + head):.0f}; "
            f"{SEEDS} seeds share the pass: ratio {SEEDS * schedule / (pass_seconds + SEEDS * head):.0f}"
        )


if __name__ == "__main__":
    what = sys.argv[1:] or ["training", "extraction"]
    measured = None
    if "training" in what:
        measured = training(int(what[1]) if len(what) > 1 and what[1].isdigit() else STEPS)
    if "extraction" in what:
        extraction(measured)
