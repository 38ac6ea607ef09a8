"""Random checkpoints of about 120 KB in the layouts that s3prl's upstreams load through ``-k``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

CONV = "[(16, 10, 5)] + [(16, 3, 2)] * 4 + [(16, 2, 2)] * 2"
FAIRSEQ = {
    "extractor_mode": "layer_norm",
    "encoder_layers": 2,
    "encoder_embed_dim": 32,
    "encoder_ffn_embed_dim": 64,
    "encoder_attention_heads": 4,
    "conv_feature_layers": CONV,
    "conv_pos": 5,
    "conv_pos_groups": 4,
}
HUGGING_FACE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "layer",
    "layerdrop": 0.0,
}
TASK = {"normalize": True}


def data2vec(path: Path) -> Path:
    from s3prl.upstream.data2vec.data2vec_model import Data2VecAudioConfig, Data2VecAudioModel
    from s3prl.upstream.utils import merge_with_parent

    config = {**FAIRSEQ, "pos_conv_depth": 2}
    model = Data2VecAudioModel(merge_with_parent(Data2VecAudioConfig, config))
    model.remove_pretraining_modules()
    weights = {**model.state_dict(), "_ema": {}}
    return _save(path, {"task_cfg": TASK, "model_cfg": config, "model_weight": weights})


def wav2vec2(path: Path) -> Path:
    from s3prl.upstream.utils import merge_with_parent
    from s3prl.upstream.wav2vec2.wav2vec2_model import Wav2Vec2Config, Wav2Vec2Model

    model = Wav2Vec2Model(merge_with_parent(Wav2Vec2Config, FAIRSEQ))
    return _save(path, {"task_cfg": TASK, "model_cfg": FAIRSEQ, "model_weight": model.state_dict()})


def hubert(path: Path) -> Path:
    from s3prl.upstream.hubert.hubert_model import HubertConfig, HubertModel, HubertPretrainingConfig
    from s3prl.upstream.utils import merge_with_parent

    config, symbols = {**FAIRSEQ, "label_rate": 50.0}, [["a", "b", "c"]]
    model = HubertModel(
        merge_with_parent(HubertConfig, config), merge_with_parent(HubertPretrainingConfig, TASK), symbols
    )
    state = {"model_cfg": config, "model_weight": model.state_dict(), "dictionaries_symbols": symbols}
    return _save(path, {"task_cfg": TASK, **state})


def wavlm(path: Path) -> Path:
    from s3prl.upstream.wavlm.WavLM import WavLM, WavLMConfig

    config = {**FAIRSEQ, **TASK}
    return _save(path, {"cfg": config, "model": WavLM(WavLMConfig(config)).state_dict()})


def hf_hubert(path: Path) -> Path:
    from transformers import HubertConfig, HubertModel

    return _save_pretrained(path, HubertModel(HubertConfig(**HUGGING_FACE)))


def hf_wav2vec2(path: Path) -> Path:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    return _save_pretrained(path, Wav2Vec2Model(Wav2Vec2Config(**HUGGING_FACE)))


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "data2vec_local": data2vec,
    "data2vec_custom": data2vec,
    "hubert_local": hubert,
    "wav2vec2_local": wav2vec2,
    "wavlm_local": wavlm,
    "hf_hubert_custom": hf_hubert,
    "hf_wav2vec2_custom": hf_wav2vec2,
}
"""By the name of the upstream that loads what the function writes."""


def build(upstream: str, folder: Path) -> Path:
    """Write the checkpoint of an upstream, the same whenever it is built."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return BUILDERS[upstream](folder / upstream)


def _save(path: Path, state: dict[str, Any]) -> Path:
    torch.save(state, path)
    return path


def _save_pretrained(path: Path, model: Any) -> Path:
    from transformers import Wav2Vec2FeatureExtractor

    model.save_pretrained(path)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(path)
    return path
