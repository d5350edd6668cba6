"""At installation every .c file of the two packages is compiled to a library beside it, if there is a compiler.

The libraries hold plain C functions, which are called through ctypes. So one wheel serves every Python of a platform.
Everything works without them, at the speed of DuckDB and torch.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = ["-O3", "-fPIC", "-shared"]


class CompileHook(BuildHookInterface):
    """Runs before a wheel is packed, and before an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        sources = sorted(source for package in self.build_config.packages for source in (root / package).rglob("*.c"))
        made = [library for source in sources if (library := compiled(source, self.app.display_warning))]
        if made:
            build_data["artifacts"] += [f"/{library.relative_to(root)}" for library in made]
            build_data["pure_python"] = False
            build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


def compiled(source: Path, warn: Callable[[str], None]) -> Path | None:
    """The library, whole or absent: one that is in use is replaced, never written into."""
    # With an underscore, lest Python take it for the module beside it.
    target = source.with_name(f"_{source.stem}.so")
    command = [*shlex.split(os.environ.get("CC") or "cc"), *FLAGS, "-o"]
    try:
        with tempfile.TemporaryDirectory(dir=source.parent) as folder:
            made = Path(folder) / target.name
            subprocess.run([*command, str(made), str(source)], check=True, capture_output=True, text=True)
            return made.replace(target)
    except (OSError, subprocess.CalledProcessError) as error:
        target.unlink(missing_ok=True)
        warn(f"{source.name} was not compiled, what it makes faster stays slower: {error}")
        return None
