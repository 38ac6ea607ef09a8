"""What an installation puts into site-packages, and that nothing of it stays behind."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.s3prl_plugin.environment import Environment

ROOT = Path(__file__).parents[2]
SOURCES = ("zero_shot_emotion", "generation", "tts", "injection", "configs")
FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "zero_shot_emotion.pth")
FOUND = """
import json, sys
from pathlib import Path
from zero_shot_emotion.config_files import find_config
hook = type(sys.meta_path[0])
print(json.dumps([hook.__module__, str(find_config("datasheets", "iemocap")), Path(sys.prefix).name]))
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to build in: builds leave folders behind."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(sources: Path) -> Path:
    subprocess.run([sys.executable, "-m", "build", "-w", "-n", sources], check=True, capture_output=True)
    (built,) = (sources / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_the_hook_at_its_top_and_every_config(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "zero_shot_emotion.pth" in names
    assert {"zero_shot_emotion/config.yaml", "zero_shot_emotion/py.typed"} <= names
    configs = [path for path in (ROOT / "configs").rglob("*") if path.suffix in (".yaml", ".j2")]
    assert configs
    assert {f"zero_shot_emotion/{path.relative_to(ROOT).as_posix()}" for path in configs} <= names
    modules = [path.relative_to(ROOT).as_posix() for name in SOURCES[:4] for path in (ROOT / name).rglob("*.py")]
    assert set(modules) <= names


def test_a_wheel_works_in_an_empty_environment_and_leaves_nothing_behind(wheel: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "venv")
    before = environment.content
    environment.pip("install", "--no-deps", wheel)
    assert (environment.site / "zero_shot_emotion.pth").is_file()

    config = environment.site / "zero_shot_emotion" / "configs" / "datasheets" / "iemocap.yaml"
    assert environment.say(FOUND) == f'["zero_shot_emotion.s3prl_plugin.startup", "{config}", "venv"]'

    environment.pip("uninstall", "-y", "zero-shot-emotion")
    assert environment.content == before
    assert environment.say("import sys; print([type(f).__name__ for f in sys.meta_path].count('Finder'))") == "0"


def test_an_editable_install_works_and_leaves_nothing_behind(sources: Path, tmp_path: Path) -> None:
    builders = ("setuptools", "pkg_resources", "_distutils_hack")
    environment = Environment(tmp_path / "venv", lambda name: name.partition("-")[0] in builders)
    before = environment.content
    environment.pip("install", "--no-deps", "--no-build-isolation", "-e", sources)

    config = sources / "configs" / "datasheets" / "iemocap.yaml"
    assert environment.say(FOUND) == f'["zero_shot_emotion.s3prl_plugin.startup", "{config}", "venv"]'

    environment.pip("uninstall", "-y", "zero-shot-emotion")
    assert environment.content == before


def test_a_start_without_the_package_is_silent(tmp_path: Path) -> None:
    """As for a moment in the middle of an uninstallation."""
    environment = Environment(tmp_path / "venv")
    shutil.copy(ROOT / "zero_shot_emotion.pth", environment.site)
    done = subprocess.run([environment.python, "-c", "print('fine')"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("fine\n", "")
