"""No code of the project evaluates text as Python."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("zero_shot_emotion", "generation", "tts", "injection")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_calls_eval_or_exec(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id in ("eval", "exec", "compile")
    ]
    assert found == []
