"""Start from what another experiment learnt: ``-i``, with the same classes or with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class CarriedOver:
    """What became of the weights, by name.

    Attributes:
        taken: loaded as they were.
        replaced: there, but for other classes or of another shape: they start anew.
        missing: not there: they start anew.
        left: there, but not of this model.
    """

    taken: tuple[str, ...]
    replaced: tuple[str, ...]
    missing: tuple[str, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.taken)} weights taken"]
        for what, names in (
            ("start anew, for other classes or shapes", self.replaced),
            ("start anew, not in the checkpoint", self.missing),
            ("not of this model", self.left),
        ):
            if names:
                parts.append(f"{len(names)} {what}: {_shown(names)}")
        return "; ".join(parts)


def carry_over(model: nn.Module, weights: Mapping[str, Tensor], same_classes: bool, own: Sequence[str]) -> CarriedOver:
    """Load what fits of another model's weights.

    Args:
        model: to be loaded into.
        weights: of the other model.
        same_classes: whether it told the same classes in the same order; otherwise the output layer starts anew.
        own: names that are never taken, such as the best score so far.
    """
    state = model.state_dict()
    output = () if same_classes else output_layer(model)
    taken, replaced = {}, []
    for name, weight in weights.items():
        if name not in state or name in own:
            continue
        if name in output or state[name].shape != weight.shape:
            replaced.append(name)
        else:
            taken[name] = weight
    model.load_state_dict(taken, strict=False)
    return CarriedOver(
        tuple(taken),
        tuple(replaced),
        tuple(name for name in state if name not in weights and name not in own),
        tuple(name for name in weights if name not in state),
    )


def output_layer(model: nn.Module) -> tuple[str, ...]:
    """The names of the parameters of the last linear layer, which gives the logits in every head."""
    *_, last = (name for name, module in model.named_modules() if isinstance(module, nn.Linear))
    return tuple(f"{last}.{parameter}" for parameter, _ in model.get_submodule(last).named_parameters())


def _shown(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
