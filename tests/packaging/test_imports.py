"""Directions of import: the converter knows nothing of the plugin, signs and sentences nothing of torch."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FORBIDDEN = {
    "dataset_prep": {"recbole_alibaba", "recbole", "torch"},
    "recbole_alibaba/diagnosis/signs": {"recbole", "torch"},
    "recbole_alibaba/diagnosis/findings.py": {"recbole", "torch"},
    "recbole_alibaba/diagnosis/causes": {"recbole", "torch"},
    "recbole_alibaba/diagnosis/report": {"recbole", "torch"},
}


def imported(file: Path) -> set[str]:
    """Top-level names of every module that `file` imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("place", FORBIDDEN)
def test_directions_of_import(place: str) -> None:
    path = ROOT / place
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert files
    for file in files:
        assert not imported(file) & FORBIDDEN[place], file
