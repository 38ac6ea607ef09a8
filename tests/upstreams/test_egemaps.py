"""openSMILE's functionals as an upstream, against the package itself."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from zero_shot_emotion.upstreams.egemaps import EgemapsError, UpstreamExpert


def tone(samples: int) -> torch.Tensor:
    time = torch.arange(samples) / 16_000
    return 0.3 * torch.sin(2 * torch.pi * 150 * time) + 0.01 * torch.randn(
        samples, generator=torch.Generator().manual_seed(samples)
    )


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(EgemapsError, match=r"needs the package opensmile .*pip install 'zero-shot-emotion\[egemaps\]'"):
        UpstreamExpert("functionals")


class TestWithThePackage:
    @pytest.fixture(autouse=True)
    def _needs_it(self) -> None:
        pytest.importorskip("opensmile", reason="opensmile is not installed: its licence makes it an optional extra")

    def test_functionals_stand_in_each_frame(self) -> None:
        import opensmile

        smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
        upstream, waves = UpstreamExpert("functionals"), [tone(16_000), tone(30_123)]
        (frames,) = upstream(waves)["hidden_states"]
        assert frames.shape == (2, round(30_123 / 160), 88)
        for index, wave in enumerate(waves):
            own = frames[index, : round(len(wave) / 160)].numpy()
            expected = smile.process_signal(wave.numpy(), 16_000).to_numpy()[0]
            np.testing.assert_allclose(own, np.broadcast_to(expected, own.shape), rtol=1e-5, atol=1e-6)

    def test_descriptors_are_one_each_ten_milliseconds(self) -> None:
        (frames,) = UpstreamExpert("lld")([tone(16_000)])["hidden_states"]
        assert frames.shape == (1, 100, 25)
        assert frames[0].std(dim=0).max() > 0

    def test_a_file_standardises(self, tmp_path: Path) -> None:
        plain, path = UpstreamExpert("functionals"), tmp_path / "scale.json"
        path.write_text(json.dumps({"mean": [1.0] * 88, "std": [2.0] * 88}))
        scaled = UpstreamExpert("functionals", str(path))
        waves = [tone(16_000)]
        expected = (plain(waves)["last_hidden_state"] - 1) / 2
        torch.testing.assert_close(scaled(waves)["last_hidden_state"], expected)

    def test_a_file_that_does_not_fit_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "scale.json"
        path.write_text(json.dumps({"mean": [0.0], "std": [1.0]}))
        with pytest.raises(EgemapsError, match="expected 88 means and 88 standard deviations above 0"):
            UpstreamExpert("functionals", str(path))
