"""``zero-shot-emotion doctor``: what is usable on this machine, and what to do about what is not."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import UserError
from .hub_models import check_model, out_of_reach, reachable

if TYPE_CHECKING:
    from .registry import Registry

Status = Literal["ok", "missing", "broken"]

PACKAGES = ("s3prl", "torch", "torchaudio", "transformers", "huggingface_hub", "coqui-tts", "openai", "numpy")


@dataclass(frozen=True)
class Check:
    """One finding. ``missing`` limits what can be done, ``broken`` stops everything."""

    topic: str
    status: Status
    finding: str
    advice: str = ""

    def __str__(self) -> str:
        mark = {"ok": "ok     ", "missing": "missing", "broken": "BROKEN "}[self.status]
        return f"{mark}  {self.topic:<11} {self.finding}" + (f"\n{' ' * 21}-> {self.advice}" if self.advice else "")


def examine(config: str | Path | None = None) -> list[Check]:
    """Look at everything; a check that fails in an unforeseen way is itself a finding.

    Args:
        config: a downstream config whose corpora are opened too, by name or path.
    """
    topics: dict[str, Callable[[], Iterator[Check]]] = {
        "versions": _versions,
        "plugin": _plugin,
        "devices": _devices,
        "upstreams": _upstreams,
        "engines": _engines,
        "injection": _injection,
        "recognisers": _recognisers,
        "labellers": _labellers,
        "models": _models,
        "endpoints": _endpoints,
        "data": lambda: _data(config),
    }
    checks: list[Check] = []
    for topic, look in topics.items():
        try:
            checks.extend(look())
        except UserError as error:
            checks.append(Check(topic, "broken", str(error)))
        except Exception as error:  # the doctor must not die of what the patient has
            checks.append(Check(topic, "broken", f"{type(error).__name__}: {error}"))
    return checks


def _versions() -> Iterator[Check]:
    yield Check("versions", "ok", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    found, absent = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            absent.append(package)
    yield Check("versions", "ok", ", ".join(found))
    if absent:
        yield Check("versions", "broken", f"not installed: {', '.join(absent)}", "install with make install")


def _plugin() -> Iterator[Check]:
    import sys

    from .s3prl_plugin import startup

    if any(isinstance(finder, startup.Finder) for finder in sys.meta_path):
        yield Check("plugin", "ok", "every run_downstream.py of this Python knows -d zero_shot_emotion")
    elif startup.switched_off():
        yield Check("plugin", "missing", f"switched off by {startup.SWITCH}", "unset it, or use run-downstream")
    else:
        yield Check(
            "plugin",
            "missing",
            "zero_shot_emotion.pth was not processed at start-up",
            "call zero-shot-emotion run-downstream instead of run_downstream.py",
        )


def _devices() -> Iterator[Check]:
    import torch

    cores = os.cpu_count()
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        yield Check("devices", "ok", f"cuda:{index} {properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    if not torch.cuda.is_available():
        yield Check("devices", "missing", f"no CUDA device, {cores} cores", "give run_downstream.py --device cpu")


def _upstreams() -> Iterator[Check]:
    from importlib.util import find_spec

    from .s3prl_plugin import startup
    from .upstreams import hubconf

    startup.install()
    from s3prl import hub

    names = hub.options()
    offline = [n for n in ("fbank", "fbank_no_cmvn", "mel", "mfcc", "linear", "spectrogram") if n in names]
    yield Check("upstreams", "ok", f"without weights: {', '.join(offline)}")
    local = [name for name in names if name.endswith(("_local", "_custom"))]
    yield Check("upstreams", "ok", f"{len(local)} take a checkpoint of yours by -k, such as data2vec_local")
    own = [upstream.__name__ for upstream in hubconf.OWN if upstream.__name__ in names]
    yield Check("upstreams", "ok", f"added by this project: {', '.join(own)}")
    if find_spec("opensmile") is None:
        yield Check(
            "upstreams",
            "missing",
            "egemaps and egemaps_lld need openSMILE (research and private use)",
            "pip install 'zero-shot-emotion[egemaps]'",
        )
    others = len(names) - len(offline) - len(local) - len(own)
    if (why := out_of_reach()) is None:
        yield Check("upstreams", "ok", f"{others} download their weights when first used")
    else:
        yield Check(
            "upstreams",
            "missing",
            f"{others} would download their weights, and {why}",
            "download them elsewhere and give the file with -u data2vec_local -k FILE",
        )


def _engines() -> Iterator[Check]:
    from tts.engine import ENGINES

    return _parts("engines", ENGINES)


def _injection() -> Iterator[Check]:
    from injection.method import METHODS

    return _parts("injection", METHODS)


def _recognisers() -> Iterator[Check]:
    from .recognition import RECOGNISERS

    return _parts("recognisers", RECOGNISERS)


def _labellers() -> Iterator[Check]:
    from generation.weak_labels.labeller import LABELLERS

    return _parts("labellers", LABELLERS)


def _parts(topic: str, registry: Registry) -> Iterator[Check]:
    """Which parts of a kind are usable, each by what it says of itself, or by the versions of what it runs on."""
    for name in registry.own:
        try:
            yield Check(topic, "ok", f"{name}: {_finding(registry.find(name))}")
        except PackageNotFoundError as error:
            yield Check(topic, "missing", f"{name}: {error.name} is not installed", f"pip install {error.name}")
        except UserError as error:
            yield Check(topic, "missing", str(error), "the others work without it")
    for entry in registry.offered.values():
        yield Check(topic, "ok", f"{entry.name}: registered by {entry.value}")


def _finding(part: Any) -> str:
    if hasattr(part, "finding"):
        return str(part.finding())
    return ", ".join(f"{package} {number}" for package, number in part.versions().items()) or "needs nothing further"


def _models() -> Iterator[Check]:
    """The models of the hub that recognisers and labellers take by default, and those that the text systems name."""
    from generation.weak_labels.labeller import LABELLERS

    from .recognition import RECOGNISERS
    from .text.settings import read_text_settings

    wanted: dict[str, list[str]] = {}
    for registry in (RECOGNISERS, LABELLERS):
        for name in registry.own:
            part = registry.find(name)
            for key in getattr(part, "hub_models", ()):
                wanted.setdefault(part.Settings.model_fields[key].default, []).append(name)
    for name in ("seed-work", "finetune", "linear"):
        wanted.setdefault(read_text_settings(name, {"data": {"train": ["-"]}}).encoder.name, []).append(name)
    for model, users in wanted.items():
        try:
            check_model(model)
        except OSError as error:
            yield Check("models", "missing", f"{model} ({', '.join(users)})", str(error))
        else:
            yield Check("models", "ok", f"{model} ({', '.join(users)})")


def _endpoints() -> Iterator[Check]:
    base, key = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_KEY")
    if not base and not key:
        yield Check(
            "endpoints",
            "missing",
            "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set",
            "the shipped dialogues need none; set them for dialogues of your own",
        )
        return
    from urllib.parse import urlsplit

    parts = urlsplit(base or "https://api.openai.com/v1")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if reachable(host, port):
        yield Check("endpoints", "ok", f"{host}:{port} answers" + ("" if key else "; no OPENAI_API_KEY is set"))
    else:
        yield Check(
            "endpoints", "missing", f"{host}:{port} does not answer", "start the server or mend OPENAI_BASE_URL"
        )


def _data(config: str | Path | None) -> Iterator[Check]:
    from generation.shipped import shipped_datasheets, shipped_dialogues

    for name in shipped_datasheets():
        yield Check("data", "ok", f"{len(shipped_dialogues(name))} dialogues ship for the datasheet {name}")
    if config is None:
        return
    from .corpus.readers import open_corpus
    from .settings import SECTION, read_config, read_settings

    datarc = read_settings(read_config(config)[SECTION], config).datarc
    for spec in (*datarc.train, *datarc.dev, *datarc.targets.values()):
        try:
            corpus = open_corpus(spec)
        except UserError as error:
            yield Check("data", "missing", str(error), f"mend it in {config}")
        else:
            yield Check("data", "ok", f"{spec}: {len(corpus)} utterances")
