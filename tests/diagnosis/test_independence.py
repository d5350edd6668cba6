"""Signs, causes, the lint, the reports, and everything they import, work without torch and RecBole."""

import ast
from pathlib import Path

import recbole_alibaba.diagnosis as diagnosis

HERE = Path(diagnosis.__file__).parent
PURE = [
    *(file for folder in ("causes", "report", "signs") for file in HERE.glob(f"{folder}/*.py")),
    *(HERE / f"{name}.py" for name in ("catalogue", "findings", "readings")),
    HERE / "cures" / "outcome.py",
    HERE / "settings_lint.py",
    HERE / "monitor" / "epoch_record.py",
    HERE.parent / "settings" / "ranking_metrics.py",
    HERE.parent / "host" / "errors.py",
    HERE.parent / "console" / "printed_commands.py",
    HERE.parent / "saved" / "json_values.py",
]


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_pure_modules_stay_pure():
    allowed = {file.relative_to(HERE.parents[1]).with_suffix("").as_posix().replace("/", ".") for file in PURE}
    allowed |= {name.removesuffix(".__init__") for name in allowed}
    for file in PURE:
        for name in imported(file):
            top = name.partition(".")[0]
            assert top not in ("torch", "recbole", "numpy", "pandas", "scipy"), (file.name, name)
            if top == "recbole_alibaba":
                assert name in allowed, (file.name, name)
