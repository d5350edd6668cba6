"""Who may import whom: the table of docs/architecture.md."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BASE = {"errors", "machine", "settings", "sources"}
ALLOWED = {
    "sources": {"errors"},
    "pairs": BASE,
    "choices": BASE | {"pairs"},
    "files": {"errors", "settings", "sources"},
    "engines": BASE | {"progress", "pairs"},
    "reading": BASE | {"progress", "pairs", "files", "engines"},
    "pages": set(),
    "writing": BASE | {"pairs", "files", "reading", "pages"},
}
FORBIDDEN = {
    "dataset_prep": {"recbole_alibaba", "recbole", "torch"},
    "recbole_alibaba/diagnosis/signs": {"recbole", "torch"},
    "recbole_alibaba/diagnosis/causes": {"recbole", "torch"},
    "recbole_alibaba/diagnosis/report": {"recbole", "torch"},
    "recbole_alibaba/settings": {"recbole", "torch"},
    "recbole_alibaba/run_page": {"recbole", "torch"},
    "recbole_alibaba/processes": {"recbole"},
    **{
        f"recbole_alibaba/board/{place}": {"recbole", "torch"}
        for place in (
            *("searching", "standings", "pages"),
            *(f"{name}.py" for name in ("board_command", "campaign", "drawn_pages", "plan", "plan_file")),
            *(f"{name}.py" for name in ("records", "running", "shown", "trial")),
            *(f"processes/{name}.py" for name in ("child", "limits", "pool", "ray_tasks", "runner")),
        )
    },
    "recbole_alibaba/diagnosis/findings.py": {"recbole", "torch"},
    **{
        f"recbole_alibaba/{file}.py": {"recbole"}
        for file in (
            *("saved/parquet", "saved/read_run", "saved/run_folder"),
            *(f"recommending/{name}" for name in ("history", "load", "model", "ranking")),
            *(f"recommending/files/{name}" for name in ("commands", "export", "tianchi")),
        )
    },
}


def imported(file: Path) -> set[str]:
    """Every module that `file` imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def files(place: str) -> list[Path]:
    path = ROOT / place
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("place", FORBIDDEN)
def test_packages_that_are_not_imported(place: str) -> None:
    for file in files(place):
        assert not {name.split(".")[0] for name in imported(file)} & FORBIDDEN[place], file


@pytest.mark.parametrize("folder", ALLOWED)
def test_directions_of_import(folder: str) -> None:
    for file in files(f"dataset_prep/{folder}"):
        own = {name.split(".")[1] for name in imported(file) if name.startswith("dataset_prep.")}
        assert own <= ALLOWED[folder] | {folder}, file
