"""Hugging Face's audio encoders, as tiny random checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from tests.tiny_checkpoints import HUGGING_FACE
from zero_shot_emotion.upstreams.hf_audio import HfAudioError, UpstreamExpert

GROUP_NORM = {**HUGGING_FACE, "feat_extract_norm": "group"}
BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "feature_projection_input_dim": 160,
    "layerdrop": 0.0,
    "add_adapter": False,
}
SEW = {**GROUP_NORM, "squeeze_factor": 2, "conv_kernel": (10, 3, 3, 3, 3, 2, 2), "conv_stride": (5, 2, 2, 2, 2, 2, 2)}
ENCODERS: dict[str, tuple[str, dict[str, Any], int]] = {
    "wav2vec2": ("Wav2Vec2", HUGGING_FACE, 320),
    "wav2vec2-group-norm": ("Wav2Vec2", GROUP_NORM, 320),
    "hubert": ("Hubert", HUGGING_FACE, 320),
    "wavlm": ("WavLM", HUGGING_FACE, 320),
    "data2vec-audio": ("Data2VecAudio", {**HUGGING_FACE, "conv_pos_kernel_size": 5, "num_conv_pos_embeddings": 2}, 320),
    "unispeech": ("UniSpeech", HUGGING_FACE, 320),
    "wav2vec2-bert": ("Wav2Vec2Bert", BERT, 320),
    "sew": ("SEW", SEW, 640),
}


@pytest.fixture(scope="module", params=ENCODERS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    family, settings, rate = ENCODERS[request.param]
    folder = tmp_path_factory.mktemp("hf") / request.param
    make: Callable[..., Any] = getattr(transformers, f"{family}Model")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        make(getattr(transformers, f"{family}Config")(**settings)).save_pretrained(folder)
    if family == "Wav2Vec2Bert":
        transformers.SeamlessM4TFeatureExtractor().save_pretrained(folder)
    else:
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder, rate


def noise(samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))


@torch.no_grad()
def test_hidden_states_are_transformers_own_whatever_the_batch(checkpoint: tuple[Path, int]) -> None:
    folder, rate = checkpoint
    upstream = UpstreamExpert(str(folder)).eval()
    assert upstream.get_downsample_rates() == rate
    model = transformers.AutoModel.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    waves = [noise(samples) for samples in (16_000, 30_011, 8_888, 16_000)]
    together = upstream(waves)["hidden_states"]
    for index, wave in enumerate(waves):
        inputs = extractor(wave.numpy(), sampling_rate=16_000, return_tensors="pt")
        expected = model(**inputs, output_hidden_states=True).hidden_states
        frames = round(len(wave) / rate)
        assert len(together) == len(expected) == 3
        for layer, theirs in zip(together, expected, strict=True):
            own = min(frames, theirs.shape[1])
            assert frames - own <= 1
            torch.testing.assert_close(layer[index, :own], theirs[0, :own], rtol=0, atol=1e-4)
            if own < frames:  # the last frame stands in for the one that s3prl asks for on top
                torch.testing.assert_close(layer[index, own], theirs[0, own - 1], rtol=0, atol=1e-4)


def test_whisper_has_an_upstream_of_its_own(tmp_path: Path) -> None:
    transformers.WhisperConfig().save_pretrained(tmp_path)
    with pytest.raises(HfAudioError, match=r"is a Whisper checkpoint, expected -u whisper for it"):
        UpstreamExpert(str(tmp_path))


def test_another_sampling_rate_is_refused(tmp_path: Path) -> None:
    transformers.HubertConfig().save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=24_000).save_pretrained(tmp_path)
    with pytest.raises(HfAudioError, match=r"sampling rate: got 24000, expected 16000"):
        UpstreamExpert(str(tmp_path))


def test_no_checkpoint_is_told() -> None:
    with pytest.raises(HfAudioError, match=r"-u hf_audio: -k is missing, expected a name such as facebook/wav2vec2"):
        UpstreamExpert(None)


def test_a_folder_that_holds_no_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        HfAudioError, match=rf"-u hf_audio: got -k {tmp_path}, expected an audio encoder of the Hugging"
    ):
        UpstreamExpert(str(tmp_path))
