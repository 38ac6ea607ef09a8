import re

import numpy as np
import pytest

from augmentation import ChannelError, load_channel
from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.config_files import MissingConfigError, configs_folder

SHIPPED = sorted(path.stem for path in (configs_folder() / "augmentation").glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_channels_load(name):
    loaded = load_channel(name)

    assert loaded.name == name
    assert any((loaded.room, loaded.noise, loaded.gain, loaded.band, loaded.codec))


def test_what_ships():
    assert {"codec", "noise", "podcast", "room", "telephone", "varied"} <= set(SHIPPED)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("noise: {}", "noise.snr_db: missing"),
        ("noise: {snr_db: [40, 10]}", "noise.snr_db: got [40, 10], expected the lower number first"),
        ("echo: {}", "echo: unknown key"),
        ("gain: {db: [0, 1], chance: 2}", "gain.chance: got 2, expected at most 1"),
        ("band: {low_hz: [0, 1], high_hz: [2, 3]}", "band.low_hz: got [0, 1], expected numbers above 0"),
        ("codec: {kinds: [mp3, aac]}", "kinds among mp3, opus, vorbis, gsm, mu-law, a-law, not aac"),
        ("codec: {kinds: [mp3], compression: [0, 1]}", "a compression from 0 to below 1"),
        ("room: {absorption: [0.5, 1.5]}", "a share below 1"),
        ("noise: {snr_db: [1, 2], files: nosuch}", "a folder with audio files, relative to the channel's file"),
        ("room: [", "expected YAML"),
    ],
)
def test_errors_name_file_key_value_and_what_was_expected(channel, steps, message):
    path = channel(steps)
    with pytest.raises(ChannelError, match=re.escape(message)) as error:
        load_channel(path)
    assert str(path) in str(error.value)


def test_unknown_channel_names_those_there_are():
    with pytest.raises(
        MissingConfigError,
        match=r"^augmentation: got 'moon', expected the path of a \.yaml file or one of codec, noise",
    ):
        load_channel("moon")


def test_folders_are_relative_to_the_file_of_the_channel(channel, tmp_path):
    write_audio(tmp_path / "street" / "b.wav", Audio(np.ones(10), 8000))
    write_audio(tmp_path / "street" / "a.wav", Audio(np.ones(10), 8000))

    loaded = load_channel(channel("noise: {snr_db: [1, 2], files: street}"))

    assert loaded.noise.files == (str(tmp_path / "street" / "a.wav"), str(tmp_path / "street" / "b.wav"))
