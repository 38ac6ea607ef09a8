"""Virtual environments for tests: what they see of this one is linked in."""

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path


class Environment:
    """A virtual environment without pip.

    Args:
        folder: of the environment.
        link: whether it sees a thing of this environment's site-packages, by the thing's name.
    """

    def __init__(self, folder: Path, link: Callable[[str], bool] = lambda name: False) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.python = folder / "bin" / "python"
        self.site = Path(self.say("import sysconfig; print(sysconfig.get_path('purelib'))"))
        (self.site / "other.txt").touch()  # pip removes the folder with the last file
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if link(path.name):
                (self.site / path.name).symlink_to(path)

    def say(self, code: str) -> str:
        """What code prints, run in a folder that has nothing to do with the project."""
        done = subprocess.run([self.python, "-c", code], capture_output=True, text=True, cwd=self.python.parent)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pip(self, *arguments: object) -> None:
        """Call this environment's pip on that one."""
        command = [sys.executable, "-m", "pip", "--python", self.python, "-q", *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=self.python.parent)
        assert done.returncode == 0, done.stderr

    @property
    def content(self) -> set[Path]:
        """Everything in its site-packages."""
        return {path.relative_to(self.site) for path in self.site.rglob("*") if "__pycache__" not in path.parts}
