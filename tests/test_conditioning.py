"""Audio at one level and without silent edges: against oracles, and the same wherever audio is listened to."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from tests.experiment import Experiment, small_config
from zero_shot_emotion import metrics
from zero_shot_emotion.acoustics import AS_IT_IS, Conditioning
from zero_shot_emotion.audio import Audio, AudioError, check_audio, read_audio, write_audio
from zero_shot_emotion.benchmark.run import run_grid
from zero_shot_emotion.cli import app
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.dataset import EmotionDataset
from zero_shot_emotion.features import FeatureStore, StoreError, UpstreamSpec, audio_hash, extract
from zero_shot_emotion.predict import predict
from zero_shot_emotion.regression import MODEL
from zero_shot_emotion.settings import ConfigError, DataSettings, conditioning_of, read_settings
from zero_shot_emotion.sources import Entry

RATE = 16_000
BOTH = Conditioning(level_db=-26.0, trim=True)
FBANK = UpstreamSpec("fbank_no_cmvn")


def tone(seconds: float, amplitude: float) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 200 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), dtype=np.float32)


class TestWhatIsDone:
    def test_level_is_that_of_a_tone_whose_rms_is_known(self) -> None:
        found = Conditioning(level_db=-26.0)(Audio(np.concatenate([quiet(1), tone(1, 0.5), quiet(2)]), RATE))
        assert found.seconds == 4
        assert found.wave.dtype == np.float32
        assert np.sqrt((found.wave[RATE : 2 * RATE].astype(float) ** 2).mean()) == pytest.approx(10 ** (-26 / 20))

    def test_trim_leaves_the_tone_and_at_most_two_frames_of_silence(self) -> None:
        heard = np.concatenate([quiet(0.5), tone(1, 0.3), quiet(0.4), tone(1, 0.3), quiet(0.7)])
        found = Conditioning(trim=True)(Audio(heard, RATE))
        start = round((0.5 - 0.02) * RATE)
        np.testing.assert_array_equal(found.wave, heard[start : start + len(found.wave)])
        assert 2.4 <= found.seconds <= 2.4 + 2 * 0.02

    def test_both_make_the_same_of_a_sound_and_its_quiet_padded_copy(self) -> None:
        one, other = tone(1, 0.4), np.concatenate([quiet(0.62), 0.01 * tone(1, 0.4), quiet(0.3)])
        found = [BOTH(Audio(wave, RATE)).wave for wave in (np.concatenate([quiet(0.02), one, quiet(0.02)]), other)]
        np.testing.assert_allclose(found[0], found[1], atol=1e-6)

    def test_peaks_beyond_full_scale_are_clipped(self) -> None:
        assert np.abs(Conditioning(level_db=0.0)(Audio(tone(1, 0.1), RATE)).wave).max() == 1

    @pytest.mark.parametrize("noise", [0.0, 1e-5])
    def test_what_is_silent_throughout_stays_so(self, noise: float) -> None:
        """Else its noise would be brought to the level of speech, and the silent utterance counted as good."""
        silent = Audio((noise * np.random.default_rng(0).uniform(-1, 1, RATE)).astype(np.float32), RATE)
        found = BOTH(silent)
        assert found.wave is silent.wave
        with pytest.raises(AudioError, match="is silent"):
            check_audio(found, "silent")

    def test_by_default_audio_is_left_alone(self) -> None:
        audio = Audio(np.concatenate([quiet(1), tone(1, 0.9)]), RATE)
        assert AS_IT_IS(audio) is audio
        assert AS_IT_IS.key == {}
        assert Conditioning(level_db=0.0).key == {"level_db": 0.0}


def transferred(audio: Audio) -> np.ndarray:
    """What benchmarks/transfer.py did when docs/transfer.md was measured, word for word."""
    wave = audio.wave
    powers = (np.pad(wave, (0, -len(wave) % 320)).reshape(-1, 320).astype(np.float64) ** 2).mean(axis=1)
    sounding = np.flatnonzero(powers > powers.max() * 10**-4.5)
    wave = wave[max(sounding[0] - 1, 0) * 320 : (sounding[-1] + 2) * 320].astype(np.float64)
    powers = (np.pad(wave, (0, -len(wave) % 320)).reshape(-1, 320) ** 2).mean(axis=1)
    level = float(10 * np.log10(powers[powers > powers.max() * 10**-3.0].mean()))
    return np.clip(wave * 10 ** ((-26.0 - level) / 20), -1, 1).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_the_measured_transfer_was_measured_with(seed: int) -> None:
    rng = np.random.default_rng(seed)
    envelope = np.repeat(rng.choice([0.0, 1e-4, 0.05, 0.6], 40), 700 + 100 * seed)
    audio = Audio((envelope * rng.standard_normal(len(envelope))).astype(np.float32), RATE)
    np.testing.assert_array_equal(BOTH(audio).wave, transferred(audio))


class TestTheConfig:
    def test_says_nothing_by_default(self) -> None:
        assert DataSettings().conditioning == AS_IT_IS
        assert conditioning_of({"modelrc": {"anything": 1}}) == AS_IT_IS
        assert conditioning_of({"datarc": {"level_db": -26, "trim": True, "train": "x"}}) == BOTH

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"level_db": 3}, "datarc.level_db: got 3, expected at most 0"),
            ({"level_db": -61}, "datarc.level_db: got -61, expected at least -60"),
            ({"level_db": "loud"}, "datarc.level_db: got 'loud', expected a number"),
            ({"level_db": float("nan")}, "datarc.level_db: got nan, expected at most 0"),
            ({"trim": "some"}, "datarc.trim: got 'some', expected true or false"),
        ],
    )
    def test_out_of_range_is_refused(self, data: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=re.escape(message)):
            read_settings({"datarc": data})


def test_a_dataset_gives_such_waves_and_counts_what_trimming_leaves_too_short(tmp_path: Path) -> None:
    write_audio(tmp_path / "long.wav", Audio(np.concatenate([quiet(1), tone(1, 0.4)]), RATE))
    write_audio(tmp_path / "short.wav", Audio(np.concatenate([quiet(1), tone(0.05, 0.4)]), RATE))
    write_audio(tmp_path / "silent.wav", Audio(quiet(1), RATE))
    entries = [Entry(name, tmp_path / f"{name}.wav", 0, "corpus", None, None) for name in ("long", "short", "silent")]
    for pre_load in (True, False):
        found = EmotionDataset(entries, "all", "skip", 0.2, pre_load, BOTH)
        assert found.bad == {"too short": 1, "silent": 1}
        np.testing.assert_array_equal(found[0][0], BOTH(read_audio(tmp_path / "long.wav")).wave)


@pytest.fixture(scope="module")
def edged(tmp_path_factory: pytest.TempPathFactory, synthetic: Path) -> Path:
    """The training corpus with silent edges and levels that tell nothing."""
    import shutil

    root = tmp_path_factory.mktemp("edged") / "edged"
    shutil.copytree(synthetic, root)
    for number, path in enumerate(sorted((root / "audio").glob("*.wav"))):
        audio = read_audio(path)
        pad = np.zeros(1600 * (1 + number % 7), dtype=np.float32)
        write_audio(path, Audio(np.concatenate([pad, audio.wave * 0.9 ** (number % 11), pad]), audio.rate))
    return root


def config(train: Path, target: Path, **data: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "downstream_expert__modelrc": {"projector_dim": 16},
        "downstream_expert__datarc__train_batch_size": 1,  # by themselves: see tests/features/test_training.py
        "downstream_expert__datarc__eval_batch_size": 1,
        "runner__total_steps": 6,
        "runner__eval_step": 3,
        "runner__save_step": 3,
    }
    made = small_config(train, {"unseen": target}, **changes)
    made["downstream_expert"]["datarc"] |= data
    return made


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {line["id"]: line for line in csv.DictReader(file)}


def shares(lines: dict[str, dict[str, str]]) -> np.ndarray:
    return np.array([[float(v) for k, v in lines[name].items() if k.startswith("p_")] for name in sorted(lines)])


ON = {"level_db": -26, "trim": True}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, edged: Path, unseen: Path) -> Path:
    """Features of such audio."""
    folder = tmp_path_factory.mktemp("stores") / "both"
    extract([Corpus.load(edged), Corpus.load(unseen)], FBANK, folder, device="cpu", conditioning=BOTH)
    return folder


@pytest.fixture(scope="module")
def itself(tmp_path_factory: pytest.TempPathFactory, edged: Path, unseen: Path) -> Experiment:
    """Trained and tested on the upstream itself."""
    folder = tmp_path_factory.mktemp("itself") / "itself"
    made = Experiment.make(folder, config(edged, unseen, **ON), ("fbank_no_cmvn",)).train()
    made.evaluate("unseen")
    return made


def test_stored_features_give_the_predictions_of_the_upstream_itself(
    tmp_path: Path, itself: Experiment, store: Path, edged: Path, unseen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zero_shot_emotion.predict.BATCH_SECONDS", 0)  # one by one, as the runner here
    stored = Experiment.make(tmp_path / "stored", config(edged, unseen, **ON), ("stored", "-k", store)).train()
    stored.evaluate("unseen")
    expected, found = (shares(table(e.folder / "predictions-unseen.csv")) for e in (itself, stored))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)

    plain = Experiment.make(tmp_path / "plain", config(edged, unseen), ("fbank_no_cmvn",)).train()
    plain.evaluate("unseen")
    other = shares(table(plain.folder / "predictions-unseen.csv"))
    assert np.abs(other - expected).max() > 1e-3  # the keys do something

    # predict takes what is done to audio from the checkpoint, be the features stored or not
    for experiment in (itself, stored):
        predict(experiment.folder / "dev-best.ckpt", str(unseen), tmp_path / "out.csv", device="cpu")
        np.testing.assert_allclose(shares(table(tmp_path / "out.csv")), expected, rtol=0, atol=1e-5)


def test_a_store_holds_features_of_such_audio_and_says_so(store: Path, edged: Path) -> None:
    found, path = FeatureStore(store), sorted((edged / "audio").glob("*.wav"))[5]
    stored = found.get(audio_hash(path))
    assert stored is not None
    assert stored.samples == len(BOTH(read_audio(path)).wave) < len(read_audio(path).wave)
    assert (found.key["level_db"], found.key["trim"]) == (-26.0, True)
    assert found.command().endswith(f"--level-db -26 --trim -o {store}")


@pytest.mark.parametrize(
    ("there", "wanted", "message"),
    [
        (BOTH, {}, "datarc.level_db: got None, but the features in {} are of audio with -26.0"),
        (AS_IT_IS, ON, "datarc.level_db: got -26.0, but the features in {} are of audio with None: store others in "
         "another folder with zero-shot-emotion extract --level-db -26 --trim, or say None"),
        (Conditioning(-26.0), ON, "datarc.trim: got True, but the features in {} are of audio with False"),
    ],
)  # fmt: skip
def test_a_store_made_otherwise_serves_no_experiment(
    tmp_path: Path, edged: Path, unseen: Path, there: Conditioning, wanted: dict[str, Any], message: str
) -> None:
    folder = tmp_path / "store"
    extract([Corpus.load(edged), Corpus.load(unseen)], FBANK, folder, device="cpu", conditioning=there)
    experiment = Experiment.make(tmp_path / "exp", config(edged, unseen, **wanted), ("stored", "-k", folder))
    with pytest.raises(StoreError, match=re.escape(message.format(folder))):
        experiment.train()


@pytest.mark.parametrize(("first", "second"), [([], ["--level-db", "-26", "--trim"]), (["--trim"], [])])
def test_extract_refuses_a_store_made_otherwise(
    tmp_path: Path, unseen: Path, first: list[str], second: list[str]
) -> None:
    command = ["extract", str(unseen), "-u", "fbank_no_cmvn", "-o", str(tmp_path / "store"), "--device", "cpu"]
    assert CliRunner().invoke(app, command + first).exit_code == 0
    assert FeatureStore(tmp_path / "store").key.get("trim", "none") == (True if first else "none")
    refused = CliRunner().invoke(app, command + second).exception
    assert isinstance(refused, StoreError)
    assert re.search(r"holds other features: .*trim \(there (True|False), now (True|False)\)", str(refused))


def test_extract_refuses_a_level_out_of_range(tmp_path: Path, unseen: Path) -> None:
    command = ["extract", str(unseen), "-u", "fbank_no_cmvn", "-o", str(tmp_path / "store"), "--level-db", "6"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    assert "less than or equal to 0" in " ".join(refused.output.split())


@pytest.mark.parametrize("head", [{"logistic_regression": {}}, {"runner": {}, "optimizer": {}}])
def test_a_grid_with_a_level_out_of_range_is_refused_before_anything_runs(
    tmp_path: Path, unseen: Path, head: dict[str, Any]
) -> None:
    grid = {
        "sources": {"talk": {"kind": "corpus", "corpus": str(unseen)}},
        "targets": {"unseen": str(unseen)},
        "upstreams": {"fbank": "fbank_no_cmvn"},
        "heads": {"loud": {**head, "downstream_expert": {"datarc": {"level_db": 5}}}},
    }
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(grid), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"heads\.loud: downstream_expert\.datarc\.level_db: got 5, expected at most"):
        run_grid(tmp_path / "grid.yaml", tmp_path / "out")


def test_a_grid_keeps_such_rows_and_their_features_apart(
    tmp_path: Path, edged: Path, unseen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 20)
    monkeypatch.setattr("zero_shot_emotion.predict.BATCH_SECONDS", 0)

    def heads(**data: Any) -> dict[str, Any]:
        regression = {"logistic_regression": {}, "downstream_expert": {"datarc": {"bad_audio": "skip", **data}}}
        return {"regression": regression, "s3prl": config(edged, unseen, **data)}

    grid: dict[str, Any] = {
        "sources": {"talk": {"kind": "corpus", "corpus": str(edged)}},
        "targets": {"unseen": str(unseen)},
        "upstreams": {"fbank": "fbank_no_cmvn"},
        "seeds": 1,
    }
    found = {}
    for name, data in (("plain", {}), ("on", ON)):
        (tmp_path / "grid.yaml").write_text(yaml.safe_dump({**grid, "heads": heads(**data)}), encoding="utf-8")
        report = run_grid(tmp_path / "grid.yaml", tmp_path / "out")
        assert report.failures == {}
        found[name] = {row.head: row for row in report.rows if ("trim" in row.protocol) == (name == "on")}
    assert len(list((tmp_path / "out/features").glob("fbank-means-*"))) == 2
    for head in ("regression", "s3prl"):
        plain, on = found["plain"][head], found["on"][head]
        assert plain.id != on.id
        assert {**plain.protocol, "level_db": -26.0, "trim": True} == on.protocol
        told = shares(table(tmp_path / "out" / on.predictions))
        assert not np.allclose(told, shares(table(tmp_path / "out" / plain.predictions)), atol=1e-3)
        (card,) = [c for c in (tmp_path / "out/systems").glob("*/README.md") if on.id in c.read_text("utf-8")]
        checkpoint = card.with_name(MODEL if head == "regression" else "dev-best.ckpt")
        predict(checkpoint, str(unseen), tmp_path / f"{head}.csv", device="cpu")
        np.testing.assert_allclose(shares(table(tmp_path / f"{head}.csv")), told, rtol=0, atol=1e-5)
