"""Whisper's encoder, as a tiny random checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

from zero_shot_emotion.upstreams.whisper import UpstreamExpert, WhisperUpstreamError

WINDOW = 480_000


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    config = WhisperConfig(
        d_model=32,
        encoder_layers=2,
        encoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_layers=1,
        decoder_attention_heads=4,
        decoder_ffn_dim=64,
        vocab_size=100,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
        num_mel_bins=20,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        WhisperModel(config).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=20).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def upstream(checkpoint: Path) -> UpstreamExpert:
    return UpstreamExpert(str(checkpoint)).eval()


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(seed))


def original(checkpoint: Path, wave: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Hidden states of transformers' own encoder on the padded window."""
    extractor = WhisperFeatureExtractor.from_pretrained(checkpoint)
    features = extractor(wave.numpy(), sampling_rate=16_000, return_tensors="pt").input_features
    encoder = WhisperModel.from_pretrained(checkpoint).get_encoder().eval()
    with torch.no_grad():
        return encoder(features, output_hidden_states=True).hidden_states


@torch.no_grad()
def test_a_full_window_is_what_transformers_gives(checkpoint: Path, upstream: UpstreamExpert) -> None:
    wave = noise(WINDOW)
    ours, theirs = upstream([wave])["hidden_states"], original(checkpoint, wave)
    assert len(ours) == len(theirs) == 3
    for layer, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(layer, expected, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("samples", [1_600, 16_000, 16_161, 47_999, 479_900])
def test_what_attention_has_not_seen_yet_is_the_padded_originals(
    checkpoint: Path, upstream: UpstreamExpert, samples: int
) -> None:
    wave = noise(samples)
    embeddings, expected = upstream([wave])["hidden_states"][0], original(checkpoint, wave)[0]
    frames = round(samples / 320)
    assert embeddings.shape == (1, frames, 32)
    torch.testing.assert_close(embeddings, expected[:, :frames], rtol=0, atol=1e-5)


@torch.no_grad()
def test_nothing_depends_on_the_batch(upstream: UpstreamExpert) -> None:
    waves = [noise(samples, samples) for samples in (30_000, 16_100, 1_700, WINDOW, WINDOW - 50)]
    together = upstream(waves)["hidden_states"]
    for index, wave in enumerate(waves):
        for layer, alone in zip(together, upstream([wave])["hidden_states"], strict=True):
            torch.testing.assert_close(layer[index, : alone.shape[1]], alone[0], rtol=0, atol=1e-5)


@torch.no_grad()
def test_longer_clips_are_encoded_window_by_window(upstream: UpstreamExpert) -> None:
    first, second = noise(WINDOW, 1), noise(20_000, 2)
    joined = upstream([torch.cat([first, second])])["last_hidden_state"]
    apart = [upstream([wave])["last_hidden_state"][0] for wave in (first, second)]
    torch.testing.assert_close(joined[0], torch.cat(apart), rtol=0, atol=1e-5)


def test_the_work_is_that_of_the_clip(upstream: UpstreamExpert) -> None:
    assert upstream._mel([noise(16_000)]).shape[-1] <= 16_000 // 160 + 12


def test_no_checkpoint_is_told() -> None:
    with pytest.raises(WhisperUpstreamError, match=r"-u whisper: -k is missing, expected a name such as openai/whis"):
        UpstreamExpert(None)


def test_s3prls_hub_has_it(checkpoint: Path) -> None:
    from s3prl import hub

    model = hub.whisper(ckpt=str(checkpoint), model_config=None, refresh=False)
    assert isinstance(model, UpstreamExpert)
    assert "whisper" in hub.options()
    assert np.isfinite(model([noise(16_000)])["last_hidden_state"].detach().numpy()).all()
