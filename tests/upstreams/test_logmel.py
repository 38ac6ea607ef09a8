"""Log-mel functionals against librosa, and what they must not depend on."""

import librosa
import numpy as np
import pytest
import torch

from zero_shot_emotion.upstreams.logmel import UpstreamExpert


def speech(samples: int = 24_000, seed: int = 0) -> torch.Tensor:
    """Noise whose level comes and goes, as syllables do."""
    noise = torch.randn(samples, generator=torch.Generator().manual_seed(seed))
    time = torch.arange(samples) / 16_000
    return 0.1 * noise * (1 + 0.9 * torch.sin(2 * torch.pi * 4 * time))


def functionals(wave: torch.Tensor) -> np.ndarray:
    (frames,) = UpstreamExpert()([wave])["hidden_states"]
    return frames[0, 0].numpy()


def test_they_are_those_of_librosa() -> None:
    wave = speech()
    spectrum = librosa.stft(wave.numpy(), n_fft=512, win_length=400, hop_length=160, pad_mode="constant")
    power = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=40, fmin=20, fmax=8000) @ np.abs(spectrum) ** 2
    bands, level = 10 * np.log10(power), 10 * np.log10(power.sum(axis=0))
    bands = bands[:, level > level.max() - 30]
    means = bands.mean(axis=1)
    expected = np.concatenate([means - means.mean(), bands.std(axis=1)])
    np.testing.assert_allclose(functionals(wave), expected, atol=0.02)


def test_neither_level_nor_silence_at_the_edges_counts() -> None:
    wave = speech()
    silence = torch.zeros(160 * 40)  # whole hops: the frames stay where they were
    expected = functionals(wave)
    np.testing.assert_allclose(functionals(0.01 * wave), expected, atol=1e-3)
    np.testing.assert_allclose(functionals(torch.cat([silence, wave, silence])), expected, atol=0.3)


def test_they_stand_in_each_frame_whatever_the_batch() -> None:
    waves = [speech(24_000), speech(9_040, seed=1)]
    (frames,) = UpstreamExpert()(waves)["hidden_states"]
    assert frames.shape == (2, 150, 80)
    for index, wave in enumerate(waves):
        own = frames[index, : round(len(wave) / 160)].numpy()
        np.testing.assert_array_equal(own, np.broadcast_to(functionals(wave), own.shape))


@pytest.mark.parametrize("wave", [torch.zeros(16_000), torch.ones(100)], ids=["silence", "shorter than a window"])
def test_what_is_hardly_sound_gives_finite_numbers(wave: torch.Tensor) -> None:
    assert np.isfinite(functionals(wave)).all()
