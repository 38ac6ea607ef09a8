"""What is added to s3prl's hub."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from zero_shot_emotion.upstreams import hubconf

OWN = {"stored", "whisper", "hf_audio", "egemaps", "egemaps_lld", "logmel_functionals"}


def test_importing_s3prls_hub_is_enough() -> None:
    from s3prl import hub

    assert set(hub.options()) >= OWN | {"fbank", "data2vec"}


def test_a_name_that_s3prl_has_stays_its_own() -> None:
    hub = ModuleType("hub")
    hub.whisper = "theirs"  # type: ignore[attr-defined]
    hubconf.register(hub)
    assert hub.whisper == "theirs"
    assert hub.stored is hubconf.stored


def test_other_packages_offer_theirs_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("mine", "collections:OrderedDict", hubconf.GROUP)
    monkeypatch.setattr(hubconf, "entry_points", lambda group: [entry] if group == hubconf.GROUP else [])
    hub = ModuleType("hub")
    hubconf.register(hub)
    assert hub.mine.__name__ == "mine"
    assert hub.mine(ckpt="a") == {"ckpt": "a"}


def test_registering_loads_no_upstream() -> None:
    heavy = ("torch", "transformers", "opensmile")
    code = f"import sys, zero_shot_emotion.upstreams.hubconf; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
