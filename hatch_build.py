"""At installation, every .c file of the two packages becomes a library beside it; without a compiler, nothing does.

The libraries hold plain C functions called through ctypes, so one wheel serves every Python of its platform. What
they are for works without them, at the speed of numpy, torch and DuckDB.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = ["-O3", "-fPIC", "-shared"]


class CompileHook(BuildHookInterface):
    """Runs before a wheel is packed, and before an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        sources = sorted(source for package in self.build_config.packages for source in (root / package).rglob("*.c"))
        if not all([compiled(source, self.app.display_warning) for source in sources]):
            return
        build_data["artifacts"] += [f"/{source.with_name(library(source)).relative_to(root)}" for source in sources]
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


def library(source: Path) -> str:
    """With an underscore, lest Python take it for a module beside it."""
    return f"_{source.stem}.so"


def compiled(source: Path, warn: Any) -> bool:
    """Whole or absent: a library in use is replaced, never written into."""
    target = source.with_name(library(source))
    compiler = shlex.split(os.environ.get("CC") or "cc")
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        made = Path(folder) / target.name
        try:
            subprocess.run(
                [*compiler, *FLAGS, "-o", str(made), str(source)], check=True, capture_output=True, text=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            target.unlink(missing_ok=True)
            warn(f"{source.name} was not compiled, what it makes faster stays slower: {error}")
            return False
        made.replace(target)
    return True
