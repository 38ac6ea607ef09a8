"""Build steps that pyproject.toml cannot say.

``zero_shot_emotion.pth`` makes ``-d zero_shot_emotion`` known to s3prl (see
``zero_shot_emotion/s3prl_plugin``). A .pth file counts only at the top of site-packages, where no
package data can go, so both ways of building a wheel put it there. ``configs/`` lies beside the
packages in a checkout and inside ``zero_shot_emotion`` in a wheel (see ``zero_shot_emotion/config_files.py``).
"""

import zipfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

PTH = "zero_shot_emotion.pth"
CONFIGS = "configs"


class BuildWithExtras(build_py):
    """Build, and add the .pth file and the configs."""

    def run(self) -> None:
        """Copy the packages, then the extras; an editable install finds the configs in the checkout."""
        super().run()
        if not self.editable_mode:
            for source, target in self._extras().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What was built, for those who record it."""
        return [*super().get_outputs(include_bytecode), *self._extras().values()]

    def _extras(self) -> dict[str, str]:
        configs = [path for pattern in ("*.yaml", "*.j2", "*.css", "*.js") for path in Path(CONFIGS).rglob(pattern)]
        inside = Path(self.build_lib, "zero_shot_emotion")
        return {PTH: str(Path(self.build_lib, PTH)), **{str(path): str(inside / path) for path in sorted(configs)}}


class EditableWithPth(editable_wheel):
    """Build the wheel of an editable install, and add the .pth file to it."""

    def run(self) -> None:
        """Build the wheel, then append; the installer writes the record of what it installed itself."""
        super().run()
        (wheel,) = Path(self.dist_dir).glob("*.whl")
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.write(PTH, PTH)


setup(cmdclass={"build_py": BuildWithExtras, "editable_wheel": EditableWithPth})
