"""Whether a model of the Hugging Face hub can be had here, told at once: the hub's own library tries for minutes."""

from __future__ import annotations

import socket
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

PATIENCE = 5.0
"""Seconds to wait for a connection before calling the hub out of reach."""
FILES = ("config.json", "preprocessor_config.json", "tokenizer_config.json")
"""One of these has every model, tokenizer or processor of transformers."""


class AbsentModelError(OSError):
    """A model that is neither here nor to be had; an OSError, as transformers raises for the same."""


def check_model(name: str, revision: str | None = None) -> None:
    """Raise where a model cannot be loaded, as far as that can be told without asking the hub.

    Args:
        name: of the hub, or its folder.
        revision: of the hub.

    Raises:
        AbsentModelError: saying why, and what can be done.
    """
    if Path(name).expanduser().exists():
        return
    if name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name or Path(name).is_absolute():
        raise AbsentModelError("no such folder")
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        if any(isinstance(try_to_load_from_cache(name, file, revision=revision), str) for file in FILES):
            return
    except HFValidationError:
        raise AbsentModelError("no folder here, and no name that the hub allows") from None
    if why := out_of_reach():
        raise AbsentModelError(
            f"no folder here, not downloaded before, and {why}; elsewhere: hf download {name} --local-dir FOLDER, "
            "then give FOLDER"
        )


def out_of_reach() -> str | None:
    """Why nothing can be downloaded from the hub, None if something can, or a proxy has to know."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    address = urlsplit(constants.ENDPOINT)
    host = address.hostname or ""
    if getproxies().get(address.scheme) and not proxy_bypass(host):
        return None
    port = address.port or (443 if address.scheme == "https" else 80)
    return None if reachable(host, port) else f"{host} is out of reach"


@cache
def reachable(host: str, port: int) -> bool:
    """Whether a host takes connections; asked once a process."""
    try:
        with socket.create_connection((host, port), timeout=PATIENCE):
            return True
    except OSError:
        return False
