"""A random FreeVC that converts nothing, and the WavLM it listens with: what voice conversion is tested on."""

from pathlib import Path


def write_tiny_freevc(home: Path) -> Path:
    """Write WavLM where coqui-tts looks for it under ``TTS_HOME``, and a checkpoint with its config; returns that."""
    import torch
    from TTS.vc.configs.freevc_config import FreeVCArgs, FreeVCConfig
    from TTS.vc.layers.freevc.wavlm.wavlm import WavLM, WavLMConfig
    from TTS.vc.models.freevc import FreeVC

    sizes = {
        **{"encoder_layers": 1, "encoder_embed_dim": 16, "encoder_ffn_embed_dim": 16, "encoder_attention_heads": 2},
        **{"extractor_mode": "layer_norm", "conv_feature_layers": "[(8, 10, 5)] + [(8, 3, 2)] * 4 + [(8, 2, 2)] * 2"},
        **{"normalize": True, "conv_pos": 8, "conv_pos_groups": 2},
    }
    folder = home / "tts" / "wavlm"
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save({"cfg": sizes, "model": WavLM(WavLMConfig(sizes)).state_dict()}, folder / "WavLM-Large.pt")
        config = FreeVCConfig(
            model_args=FreeVCArgs(
                ssl_dim=16, hidden_channels=8, inter_channels=8, upsample_initial_channel=32, gin_channels=8
            )
        )
        model = FreeVC(config)
    config.save_json(home / "config.json")
    torch.save({"model": model.state_dict()}, home / "model.pth")
    return home / "model.pth"
