"""A random Qwen3-TTS CustomVoice that babbles: what the engine is tested on where ``qwen-tts`` is installed."""

import json
from pathlib import Path

SPEAKERS = {
    "vivian": 70,
    "serena": 71,
    "uncle_fu": 72,
    "dylan": 73,
    "eric": 74,
    "ryan": 75,
    "aiden": 76,
    "ono_anna": 77,
    "sohee": 78,
}
LANGUAGES = {"english": 80, "german": 81, "chinese": 82}
GROUPS = 2


def write_tiny_qwen(folder: Path) -> Path:
    """Write model, speech tokenizer and text tokenizer as the hub has them; returns the folder."""
    import torch
    from qwen_tts.core.models import Qwen3TTSConfig, Qwen3TTSForConditionalGeneration
    from qwen_tts.core.tokenizer_12hz.configuration_qwen3_tts_tokenizer_v2 import Qwen3TTSTokenizerV2Config
    from qwen_tts.core.tokenizer_12hz.modeling_qwen3_tts_tokenizer_v2 import Qwen3TTSTokenizerV2Model
    from transformers import EncodecFeatureExtractor

    _write_text_tokenizer(folder)
    sizes = {"num_hidden_layers": 1, "hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2}
    rope = {"rope_type": "default", "mrope_section": [4, 2, 2], "interleaved": True}
    talker = {
        **{**sizes, "num_key_value_heads": 1, "head_dim": 16, "text_hidden_size": 32, "text_vocab_size": 300},
        **{"vocab_size": 1124, "num_code_groups": GROUPS, "rope_scaling": rope, "max_position_embeddings": 512},
        **{"codec_eos_token_id": 1110, "codec_think_id": 1111, "codec_nothink_id": 1112, "codec_think_bos_id": 1113},
        **{"codec_think_eos_id": 1114, "codec_pad_id": 1115, "codec_bos_id": 1116},
        **{"spk_id": SPEAKERS, "spk_is_dialect": dict.fromkeys(SPEAKERS, False), "codec_language_id": LANGUAGES},
        "code_predictor_config": {
            **{**sizes, "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 64, "num_code_groups": GROUPS},
            "max_position_embeddings": 64,
        },
    }
    ids = ("im_start_token_id", "im_end_token_id", "tts_pad_token_id", "tts_bos_token_id", "tts_eos_token_id")
    config = Qwen3TTSConfig(
        talker_config=talker,
        tokenizer_type="qwen3_tts_tokenizer_12hz",
        tts_model_size="1b7",
        tts_model_type="custom_voice",
        **{name: 290 + number for number, name in enumerate(ids)},
    )
    decoder = {
        **{**sizes, "num_key_value_heads": 2, "head_dim": 16, "codebook_size": 128, "latent_dim": 32},
        **{"num_quantizers": GROUPS, "decoder_dim": 32, "codebook_dim": 32, "sliding_window": 8},
    }
    encoder = {
        **{**sizes, "num_key_value_heads": 2, "head_dim": 16, "num_filters": 4, "codebook_size": 128},
        **{"codebook_dim": 16, "vector_quantization_hidden_dimension": 16, "num_quantizers": 32, "upsample_groups": 32},
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Qwen3TTSForConditionalGeneration(config).save_pretrained(folder)
        speech = Qwen3TTSTokenizerV2Config(
            encoder_config=encoder, decoder_config=decoder, encoder_valid_num_quantizers=GROUPS
        )
        codec = Qwen3TTSTokenizerV2Model(speech)
        for name, parameter in codec.named_parameters():
            if name.endswith("embedding_sum"):  # codebooks start as zeros
                torch.nn.init.normal_(parameter)
        codec.save_pretrained(folder / "speech_tokenizer")
    written = json.loads((folder / "config.json").read_text())
    written["speaker_encoder_config"] = {}  # its class does not read what it writes
    (folder / "config.json").write_text(json.dumps(written))
    EncodecFeatureExtractor(sampling_rate=24_000).save_pretrained(folder / "speech_tokenizer")
    (folder / "generation_config.json").write_text(json.dumps({"max_new_tokens": 12, "do_sample": True}))
    return folder


def _write_text_tokenizer(folder: Path) -> None:
    """Bytes as tokens."""
    from transformers import Qwen2TokenizerFast
    from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {symbol: number for number, symbol in enumerate(bytes_to_unicode().values())}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = Qwen2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer.save_pretrained(folder)
