"""Speech as a target's channel would carry it: rooms, noise, microphones, lines and codecs."""

from .augment import augment
from .channel import Channel, ChannelError, load_channel

__all__ = ["Channel", "ChannelError", "augment", "load_channel"]
