"""The one pass over a corpus: what it stores, what it skips, what it refuses, and that a kill costs nothing."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.tiny_checkpoints import build
from zero_shot_emotion import __version__
from zero_shot_emotion.audio import Audio, read_audio, write_audio
from zero_shot_emotion.cli import app
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.features import FeatureStore, StoreError, UpstreamSpec, audio_hash, check_stand_in, extract
from zero_shot_emotion.features.extraction import _Extraction
from zero_shot_emotion.features.fingerprint import code_version
from zero_shot_emotion.features.frozen import FrozenUpstream
from zero_shot_emotion.features.store import write_shard
from zero_shot_emotion.settings import ModelSettings
from zero_shot_emotion.testing import tiny_corpus

FBANK = UpstreamSpec("fbank_no_cmvn")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return tiny_corpus(tmp_path_factory.mktemp("corpora") / "corpus")


@pytest.fixture
def hubert(tmp_path: Path) -> UpstreamSpec:
    return UpstreamSpec("hubert_local", str(build("hubert_local", tmp_path)))


def alone(spec: UpstreamSpec, wave: np.ndarray) -> torch.Tensor:
    """What s3prl's featurizer would hand to a head of this one utterance, layer by layer: (layers, frames, width)."""
    from s3prl import hub
    from s3prl.upstream.interfaces import Featurizer

    model = getattr(hub, spec.name)(ckpt=spec.ckpt, model_config=spec.config, refresh=False).eval()
    featurizer = Featurizer(model, "hidden_states", upstream_device="cpu")
    waves = [torch.from_numpy(wave)]
    with torch.no_grad():
        return torch.stack([featurizer.tolist(waves, layer)[0] for layer in model(waves)["hidden_states"]])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def one(folder: Path, name: str, wave: np.ndarray) -> Corpus:
    write_audio(folder / f"{name}.wav", Audio(wave.astype(np.float32), 16_000))
    return Corpus(name, folder, (Utterance(id=name, file_name=f"{name}.wav", label="neu"),))


class TestWhatIsStored:
    @pytest.mark.parametrize("name", ["fbank_no_cmvn", "hubert_local", "data2vec_local", "hf_hubert_custom"])
    def test_means_and_frames_are_those_of_each_utterance_alone(
        self, name: str, tmp_path: Path, corpus: Corpus
    ) -> None:
        from zero_shot_emotion.audio import read_audio

        spec = UpstreamSpec(name) if name == "fbank_no_cmvn" else UpstreamSpec(name, str(build(name, tmp_path)))
        for keep in ("means", "frames"):
            extract([corpus], spec, tmp_path / keep, keep=keep, device="cpu")
        means, frames = FeatureStore(tmp_path / "means"), FeatureStore(tmp_path / "frames")
        assert len(means) == len(frames) == len(corpus)
        for utterance in list(corpus)[::7]:
            path = corpus.audio_path(utterance)
            wave = read_audio(path).wave
            expected, found = alone(spec, wave), means.get(audio_hash(path))
            assert found is not None
            assert (found.samples, found.frames) == (len(wave), expected.shape[1])
            torch.testing.assert_close(means.features(found.row), expected.mean(dim=1), rtol=1e-5, atol=1e-5)
            whole = frames.get(audio_hash(path))
            assert whole is not None
            half = frames.features(whole.row)
            assert half.dtype == torch.float16
            torch.testing.assert_close(half.float(), expected.transpose(0, 1), rtol=2e-3, atol=2e-3)

    def test_the_key_says_what_made_it(self, tmp_path: Path, corpus: Corpus, hubert: UpstreamSpec) -> None:
        extract([corpus], hubert, tmp_path / "store", device="cpu")
        key = FeatureStore(tmp_path / "store").key
        assert {name: key[name] for name in ("upstream", "keep", "selection", "layers", "width", "rate")} == {
            "upstream": "hubert_local",
            "keep": "means",
            "selection": "hidden_states",
            "layers": 3,
            "width": 32,
            "rate": 320,
        }
        assert key["checkpoint"] == audio_hash(str(hubert.ckpt)).hex()
        assert len(key["weights"]) == 64


class TestWhatIsSkipped:
    def test_audio_that_is_there_under_any_path(self, tmp_path: Path, corpus: Corpus) -> None:
        first = extract([corpus], FBANK, tmp_path / "store", device="cpu")
        other = tiny_corpus(tmp_path / "other", dialogues=1, seed=9)
        (tmp_path / "other/audio/d00-00.wav").write_bytes(corpus.audio_path(corpus.utterances[5]).read_bytes())
        before = content(tmp_path / "store")
        second = extract([corpus, other], FBANK, tmp_path / "store", device="cpu")
        assert (first.computed, first.there) == (24, 0)
        assert (second.computed, second.there) == (3, 24)
        assert before.items() <= content(tmp_path / "store").items()  # nothing of what was there has changed
        assert len(FeatureStore(tmp_path / "store")) == 27

    def test_nothing_is_computed_twice_nor_is_the_upstream_loaded(
        self, tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        extract([corpus], FBANK, tmp_path / "store", device="cpu")
        monkeypatch.setattr(_Extraction, "_compute", lambda *args: pytest.fail("there is nothing to compute"))
        report = extract([corpus], FBANK, tmp_path / "store", device="cpu")
        assert "0 utterances computed, 24 were there already" in report.summary()


class TestAKill:
    @pytest.mark.parametrize("shards", [0, 1, 3])
    def test_leaves_what_the_same_command_finishes_to_the_same_bytes(
        self, shards: int, tmp_path: Path, corpus: Corpus, hubert: UpstreamSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("zero_shot_emotion.features.extraction.SHARD_SECONDS", 3.0)
        extract([corpus], hubert, tmp_path / "whole", device="cpu", batch_seconds=2)
        written = []

        def die_at(path: Path, tensors: Any) -> None:
            if len(written) == shards:
                raise KeyboardInterrupt
            written.append(path)
            write_shard(path, tensors)

        with monkeypatch.context() as patch:
            patch.setattr("zero_shot_emotion.features.extraction.write_shard", die_at)
            with pytest.raises(KeyboardInterrupt):
                extract([corpus], hubert, tmp_path / "killed", device="cpu", batch_seconds=2)
        assert (tmp_path / "killed/.plan.json").exists()
        report = extract([corpus], hubert, tmp_path / "killed", device="cpu", batch_seconds=2)
        assert (report.there > 0) == (shards > 0)
        assert content(tmp_path / "killed") == content(tmp_path / "whole")

    def test_and_another_corpus_then_finds_what_was_done(
        self, tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("zero_shot_emotion.features.extraction.SHARD_SECONDS", 3.0)

        def die_at_the_second(path: Path, tensors: Any) -> None:
            if path.name.endswith("1.safetensors"):
                raise KeyboardInterrupt
            write_shard(path, tensors)

        with monkeypatch.context() as patch:
            patch.setattr("zero_shot_emotion.features.extraction.write_shard", die_at_the_second)
            with pytest.raises(KeyboardInterrupt):
                extract([corpus], FBANK, tmp_path / "store", device="cpu")
        other = tiny_corpus(tmp_path / "other", dialogues=1, seed=9)
        extract([other], FBANK, tmp_path / "store", device="cpu")
        extract([corpus], FBANK, tmp_path / "store", device="cpu")
        assert len(FeatureStore(tmp_path / "store")) == 28


class TestBadAudio:
    def corpus(self, folder: Path) -> Corpus:
        corpus = tiny_corpus(folder, dialogues=1)
        corpus.audio_path(corpus.utterances[0]).write_bytes(b"no audio at all")
        corpus.audio_path(corpus.utterances[1]).unlink()
        write_audio(corpus.audio_path(corpus.utterances[2]), Audio(np.zeros(8000, dtype=np.float32), 16_000))
        return corpus

    def test_is_reported_after_all_else_is_stored(self, tmp_path: Path) -> None:
        corpus = self.corpus(tmp_path / "corpus")
        expected = r"bad audio: 3 utterances \(1 missing, 1 unreadable, 1 silent\).*leave it out with --skip-errors"
        with pytest.raises(StoreError, match=expected):
            extract([corpus], FBANK, tmp_path / "store", device="cpu")
        assert len(FeatureStore(tmp_path / "store")) == 1

    def test_is_counted_where_it_may_be_skipped_and_remembered(self, tmp_path: Path) -> None:
        corpus = self.corpus(tmp_path / "corpus")
        for computed in (1, 0):
            report = extract([corpus], FBANK, tmp_path / "store", device="cpu", skip_errors=True)
            assert report.computed == computed
            assert sorted(problem.reason for problem in report.bad.values()) == ["missing", "silent", "unreadable"]
        reasons = sorted(reason for reason, _ in FeatureStore(tmp_path / "store").bad.values())
        assert reasons == ["silent", "unreadable"]

    def test_what_the_upstream_cannot_take_costs_itself_alone(self, tmp_path: Path, hubert: UpstreamSpec) -> None:
        good = tiny_corpus(tmp_path / "good", dialogues=1)
        short = one(tmp_path, "short", np.array([0.1, -0.1, 0.1]))
        report = extract([good, short], hubert, tmp_path / "store", device="cpu", skip_errors=True)
        assert report.computed == 4
        (problem,) = report.bad.values()
        assert problem.reason == "upstream fails"
        assert "short.wav: the upstream fails:" in str(problem)

    def test_memory_that_does_not_suffice_is_no_fault_of_the_audio(self, tmp_path: Path) -> None:
        """It would be remembered as bad, and missing from all trainings to come, on larger machines too."""
        good = tiny_corpus(tmp_path / "good", dialogues=1)

        class Small(FrozenUpstream):
            def __call__(self, waves: Any) -> list[torch.Tensor]:
                if max(map(len, waves)) == longest:
                    raise torch.OutOfMemoryError("CUDA out of memory")
                return super().__call__(waves)

        longest = max(len(read_audio(good.audio_path(u)).wave) for u in good)
        with pytest.raises(
            StoreError, match=r"does not fit into the device's memory by itself.*run again with --device"
        ):
            extract([good], FBANK, tmp_path / "store", device="cpu", skip_errors=True, load=Small)
        assert extract([good], FBANK, tmp_path / "store", device="cpu").bad == {}
        assert len(FeatureStore(tmp_path / "store")) == len(good)

    def test_text_without_audio_is_bad(self, tmp_path: Path) -> None:
        text = Corpus("text", tmp_path, (Utterance(id="u1", text="words", label="neu"),))
        with pytest.raises(StoreError, match=r"1 no audio\): corpus 'text': the utterance 'u1' has no audio"):
            extract([text], FBANK, tmp_path / "store", device="cpu")


class TestWhatIsRefused:
    def test_a_store_of_another_upstream(self, tmp_path: Path, corpus: Corpus) -> None:
        extract([corpus], FBANK, tmp_path / "store", device="cpu")
        expected = r"holds other features: upstream \(there 'fbank_no_cmvn', now 'mfcc'\), keep .*--overwrite"
        with pytest.raises(StoreError, match=expected):
            extract([corpus], UpstreamSpec("mfcc"), tmp_path / "store", keep="frames", device="cpu")
        spec = UpstreamSpec("mfcc")
        extract([corpus], spec, tmp_path / "store", keep="frames", device="cpu", overwrite=True)
        assert FeatureStore(tmp_path / "store").key["upstream"] == "mfcc"

    def test_features_of_other_code_where_there_are_no_weights(
        self, tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spec = UpstreamSpec("logmel_functionals")
        extract([corpus], spec, tmp_path / "store", device="cpu")
        extract([corpus], spec, tmp_path / "store", device="cpu")
        monkeypatch.setattr("zero_shot_emotion.features.fingerprint.__version__", "99")
        expected = rf"features: code \(there 'zero-shot-emotion {__version__}', now 'zero-shot-emotion 99'\)"
        with pytest.raises(StoreError, match=expected):
            extract([corpus], spec, tmp_path / "store", device="cpu")
        monkeypatch.setattr("zero_shot_emotion.features.fingerprint.version", lambda package: f"of {package}")
        assert UpstreamSpec("egemaps").key["code"] == "zero-shot-emotion 99, opensmile of opensmile"
        assert FBANK.key["code"] == "s3prl of s3prl, torchaudio of torchaudio"
        assert "code" not in UpstreamSpec("data2vec").key
        extract([corpus], FBANK, tmp_path / "fbank", device="cpu")
        monkeypatch.undo()
        expected = (
            r"fbank: its features were computed by s3prl of s3prl, torchaudio of torchaudio, and here is s3prl \d"
        )
        with pytest.raises(StoreError, match=expected):
            check_stand_in(FeatureStore(tmp_path / "fbank"), ModelSettings(), {})

    def test_every_upstream_of_s3prl_without_weights_is_known_by_its_versions(self) -> None:
        from s3prl.upstream.baseline import hubconf as baseline
        from s3prl.upstream.log_stft import hubconf as stft

        theirs = {
            name for module in (baseline, stft) for name, made in vars(module).items() if inspect.isfunction(made)
        }
        assert theirs >= {"fbank", "mfcc", "stft_mag"}
        assert {name for name in theirs if code_version(name) is None} == set()

    def test_a_checkpoint_that_has_changed(self, tmp_path: Path, corpus: Corpus, hubert: UpstreamSpec) -> None:
        extract([corpus], hubert, tmp_path / "store", device="cpu")
        state = torch.load(str(hubert.ckpt), weights_only=False)
        state["model_weight"]["encoder.layer_norm.weight"] += 1
        torch.save(state, str(hubert.ckpt))
        with pytest.raises(StoreError, match=r"holds other features: checkpoint \(there '\w{64}', now '\w{64}'\)"):
            extract([corpus], hubert, tmp_path / "store", device="cpu")

    @pytest.mark.parametrize(
        ("name", "keep", "expected"),
        [
            ("nothing", "means", "-u nothing: s3prl's hub has no such upstream"),
            ("stored", "means", "-u stored: serves features that are stored already"),
            ("fbank", "means", "-u fbank: subtracts each utterance's mean.*--keep frames"),
            ("fbank", "all", "keep: got 'all', expected one of means, frames"),
        ],
    )
    def test_what_makes_no_sense(self, name: str, keep: str, expected: str, tmp_path: Path, corpus: Corpus) -> None:
        with pytest.raises(StoreError, match=expected):
            extract([corpus], UpstreamSpec(name), tmp_path / "store", keep=keep, device="cpu")

    def test_two_at_a_time(self, tmp_path: Path, corpus: Corpus) -> None:
        from filelock import FileLock

        with FileLock(tmp_path / ".lock"), pytest.raises(StoreError, match="another process is extracting into it"):
            extract([corpus], FBANK, tmp_path, device="cpu")

    def test_a_folder_that_is_no_store(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"no store\.json in it, expected a store that zero-shot-emotion extract"):
            FeatureStore(tmp_path)


def test_the_command(tmp_path: Path, corpus: Corpus) -> None:
    command = ["extract", str(corpus.root), "-u", "fbank_no_cmvn", "-o", str(tmp_path / "store"), "--device", "cpu"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert "extract: 24 utterances computed, 0 were there already" in done.output
    assert f"output    {tmp_path / 'store'}" in done.output
    assert FeatureStore(tmp_path / "store").command() == (
        f"zero-shot-emotion extract CORPUS -u fbank_no_cmvn -o {tmp_path / 'store'}"
    )
