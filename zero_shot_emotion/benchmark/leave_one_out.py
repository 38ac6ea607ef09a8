"""Leave one language out: a downstream config for each language, trained on all others and tested on it."""

from __future__ import annotations

from pathlib import Path

import yaml

from ..corpus import CorpusError, atomic_write
from ..corpus.readers import open_corpus
from ..settings import read_config


def leave_one_language_out(spec: str) -> dict[str, tuple[str, str]]:
    """What to train on and what to test on, as `open_corpus` takes it, by language.

    Args:
        spec: of a corpus in several languages; splits may be selected, languages not.

    Raises:
        CorpusError: if the corpus is in one language, or the spec selects some.
    """
    if "@" in spec.partition("#")[2]:
        raise CorpusError(f"corpus {spec!r}: selects languages, expected all of them, to leave out each in turn")
    languages = sorted({u.language.split("-")[0] for u in open_corpus(spec) if u.language})
    if len(languages) < 2:
        raise CorpusError(f"corpus {spec!r}: languages: got {', '.join(languages) or 'none'}, expected at least two")
    base = spec if "#" in spec else f"{spec}#"
    return {language: (f"{base}@-{language}", f"{base}@{language}") for language in languages}


def write_leave_one_language_out(config: str | Path, spec: str, out: Path) -> list[Path]:
    """Write the configs of all languages.

    Args:
        config: a downstream config by name or path, for everything but ``train``, ``dev`` and ``targets``.
        spec: of a corpus in several languages.
        out: folder of the configs, each named by the language that is left out.

    Raises:
        ConfigError: naming the config's file, key and what was expected.
        CorpusError: as `leave_one_language_out` does.
    """
    template = read_config(config)
    paths = []
    for language, (train, test) in leave_one_language_out(spec).items():
        datarc = {
            k: v for k, v in template["downstream_expert"]["datarc"].items() if k not in ("train", "dev", "targets")
        }
        named = {"train": [train], "targets": {language: test}}
        expert = {**template["downstream_expert"], "datarc": {**named, **datarc}}
        with atomic_write(out / f"{language}.yaml") as file:
            yaml.safe_dump({**template, "downstream_expert": expert}, file, sort_keys=False, allow_unicode=True)
        paths.append(out / f"{language}.yaml")
    return paths
