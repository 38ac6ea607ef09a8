"""A frozen upstream as s3prl's runner would use it, one batch at a time and whatever is batched together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .fingerprint import code_version, path_hash, weights_hash
from .padding import FrameCount, probe
from .store import StoreError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..audio import Wave

SELECTION = "hidden_states"
CUT = 5
"""Standard deviations that a frame may be away from the mean: what is missing of a sum of zero when it is cut."""


@dataclass(frozen=True)
class UpstreamSpec:
    """An upstream as s3prl's command line names it.

    Attributes:
        name: ``-u``, any name of s3prl's hub.
        ckpt: ``-k``, a checkpoint's file, folder or name, where the upstream needs one.
        config: ``-g``, a config file, where the upstream needs one.
    """

    name: str
    ckpt: str | None = None
    config: str | None = None

    @property
    def key(self) -> dict[str, str | None]:
        """Tells specs apart by the content of what they name; those without weights by the versions of their code."""
        key = {"upstream": self.name, "checkpoint": path_hash(self.ckpt), "config": path_hash(self.config)}
        code = code_version(self.name)
        return key if code is None else {**key, "code": code}


def layer_means(frames: Tensor) -> Tensor:
    """The mean over frames of (layers, frames, width), float32 of shape (layers, width), on the CPU."""
    import torch

    return frames.mean(dim=1, dtype=torch.float64).float().cpu()


class FrozenUpstream:
    """An upstream of s3prl's hub, loaded, in evaluation mode, in single precision.

    Args:
        spec: which.
        device: to compute on.

    Attributes:
        weights: hash of its parameters and buffers.
        layers: how many hidden states it has.
        width: of its features.
        aliases: the other names that ``-s`` may select a layer by, and which.
        centred: whether the mean over an utterance is zero whatever was said, as after CMVN.
        rate: samples a frame.
        frame_count: how it counts frames if padding leaves its features alone, else None.

    Raises:
        StoreError: if the hub has no such upstream, if it has no hidden states, or if it draws at random.
    """

    def __init__(self, spec: UpstreamSpec, device: torch.device) -> None:
        from ..s3prl_plugin import startup

        startup.install()
        from s3prl import hub
        from s3prl.upstream.interfaces import Featurizer

        if spec.name not in hub.options():
            raise StoreError(f"-u {spec.name}: s3prl's hub has no such upstream; zero-shot-emotion doctor lists some")
        if spec.name == "stored":
            raise StoreError("-u stored: serves features that are stored already, expected another upstream")
        self._name, self._device = spec.name, device
        model = getattr(hub, spec.name)(ckpt=spec.ckpt, model_config=spec.config, refresh=False)
        self._model = model.to(device).eval()
        self._featurizer = Featurizer(self._model, SELECTION, upstream_device=str(device))
        if self._featurizer.feature_selection != SELECTION:
            raise StoreError(f"-u {spec.name}: gives no {SELECTION}")
        self.weights = weights_hash(model)
        self.rate = self._featurizer.downsample_rate
        self.aliases: dict[str, int] = {}
        self._probe()
        self.frame_count: FrameCount | None = probe(self._layers, self.rate) if isinstance(self.rate, int) else None

    def _probe(self) -> None:
        """Learn the shape of the features from a second of noise."""
        import torch

        noise = torch.randn(16_000, generator=torch.Generator().manual_seed(0)).to(self._device)
        with torch.no_grad():
            result, again = self._model([noise]), self._layers([noise])
        layers = list(result[SELECTION])
        shapes = sorted({tuple(layer.shape) for layer in layers})
        if len(shapes) > 1:
            raise StoreError(f"-u {self._name}: its layers differ in shape, expected one shape: {shapes}")
        if any(not torch.allclose(*pair, rtol=1e-3, atol=1e-3) for pair in zip(layers, again, strict=True)):
            raise StoreError(f"-u {self._name}: gives other features each time, expected a deterministic upstream")
        self.layers, self.width = len(layers), int(shapes[0][-1])
        self.centred = all(is_centred(layer[0]) for layer in layers)
        for name, value in result.items():
            for index, layer in enumerate(layers):
                if isinstance(value, torch.Tensor) and value.shape == layer.shape and torch.equal(value, layer):
                    self.aliases[name] = index

    def _layers(self, waves: Sequence[Tensor]) -> list[Tensor]:
        import torch

        with torch.no_grad():
            return list(self._model([wave.to(self._device) for wave in waves])[SELECTION])

    def __call__(self, waves: Sequence[Wave]) -> list[Tensor]:
        """The frames of each utterance as the featurizer would cut them if it were alone.

        Args:
            waves: at 16 kHz.

        Returns:
            One tensor an utterance, of shape (layers, frames, width), on the device.
        """
        import torch

        tensors = [torch.from_numpy(wave) for wave in waves]
        if self.frame_count is not None:
            return self._cut(tensors)
        by_length: dict[int, list[int]] = defaultdict(list)
        for index, wave in enumerate(tensors):
            by_length[len(wave)].append(index)
        found: dict[int, Tensor] = {}
        for indices in by_length.values():
            found.update(zip(indices, self._cut([tensors[index] for index in indices]), strict=True))
        return [found[index] for index in range(len(tensors))]

    def _cut(self, waves: list[Tensor]) -> list[Tensor]:
        import torch

        layers = [self._featurizer.tolist(waves, layer) for layer in self._layers(waves)]
        frames = [torch.stack(of_one) for of_one in zip(*layers, strict=True)]
        if self.frame_count is None:
            return frames
        return [
            layers_of_one[:, : self.frame_count(len(wave))] for wave, layers_of_one in zip(waves, frames, strict=True)
        ]


def is_centred(frames: Tensor) -> bool:
    """Whether the mean of (frames, width) over the frames is close to nothing in every dimension.

    s3prl's featurizer may have cut the last frame of features that were centred before.
    """
    close = min(0.5, max(0.05, CUT / len(frames)))
    return bool(frames.mean(dim=0).abs().max() < close * frames.square().mean().sqrt())


def bucket(lengths: Sequence[tuple[int, bytes]], batch_seconds: float, rate: int) -> list[list[bytes]]:
    """Batches of utterances of like length, the longest first, so that a batch that does not fit shows at once.

    Args:
        lengths: samples and hash of each utterance.
        batch_seconds: how much a batch holds at most with its padding, unless a single utterance is longer.
        rate: samples a second.

    >>> bucket([(16000, b"a"), (32000, b"b"), (16000, b"c")], 2.0, 16000)
    [[b'b'], [b'a', b'c']]
    """
    batches: list[list[bytes]] = []
    longest = 0
    for samples, digest in sorted(lengths, key=lambda pair: (-pair[0], pair[1])):
        if batches and (len(batches[-1]) + 1) * longest <= batch_seconds * rate:
            batches[-1].append(digest)
        else:
            batches.append([digest])
            longest = samples
    return batches


def into_shards(batches: Sequence[list[Any]], seconds: Sequence[float], shard_seconds: float) -> list[list[list[Any]]]:
    """Consecutive batches that are written together."""
    shards: list[list[list[Any]]] = [[]]
    held = 0.0
    for batch, length in zip(batches, seconds, strict=True):
        if shards[-1] and held + length > shard_seconds:
            shards.append([])
            held = 0.0
        shards[-1].append(batch)
        held += length
    return shards if shards[0] else []
