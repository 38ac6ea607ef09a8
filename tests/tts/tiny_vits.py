"""A random multi-speaker VITS that speaks nothing, at once: what Coqui's engine is tested on."""

from pathlib import Path

SPEAKERS = ("p225", "p226", "p227", "p228", "p229", "p230")


def write_tiny_vits(folder: Path) -> Path:
    """Write ``model.pth``, ``config.json`` and ``speakers.pth``; returns the checkpoint."""
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    folder.mkdir(parents=True, exist_ok=True)
    speakers = folder / "speakers.pth"
    torch.save({name: number for number, name in enumerate(SPEAKERS)}, speakers)
    sizes = VitsArgs(
        hidden_channels=32,
        hidden_channels_ffn_text_encoder=64,
        num_layers_text_encoder=1,
        num_layers_posterior_encoder=2,
        num_layers_flow=2,
        upsample_initial_channel_decoder=32,
        use_speaker_embedding=True,
        speakers_file=str(speakers),
        speaker_embedding_channels=16,
        init_discriminator=False,
    )
    config = VitsConfig(
        model_args=sizes,
        use_phonemes=False,
        text_cleaner="basic_cleaners",
        use_speaker_embedding=True,
        speakers_file=str(speakers),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Vits(config)
    config.save_json(folder / "config.json")
    torch.save({"model": model.state_dict(), "config": config.to_dict()}, folder / "model.pth")
    return folder / "model.pth"
