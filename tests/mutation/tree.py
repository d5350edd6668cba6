"""A copy of the working tree, in which one change at a time is made and tested."""

from __future__ import annotations

import ast
import os
import re
import resource
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from shutil import copyfile

from hatch_build import compiled
from tests.mutation.changes import Change
from tests.mutation.executed import Executed, environment

ROOT = Path(__file__).resolve().parents[2]
MOST_MEMORY = 16 << 30
AT_FIRST, AT_MOST = 10.0, 100.0
"""Seconds of tests: the fastest are run first; those beyond the limit are not."""


class Tree:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        found = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        self.files = [name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]
        for name in self.files:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copyfile(ROOT / name, self.folder / name)
            self._compile(name)
        (folder / "shared").symlink_to(ROOT.parent / "shared")
        self._passes = cache(lambda test: self._failed([test], 600) is None)

    def read(self, file: str) -> bytes:
        return (self.folder / file).read_bytes() if file in self.files else b""

    def verdict(self, change: Change, executed: Executed) -> str:
        """noticed, survived, or broken: what does not compile is no change of the logic."""
        for some in _portions(self._tests(change, executed), executed.seconds):
            limit = 60 + 3 * sum(executed.seconds[test] for test in some)
            while some:
                with self._made(change) as compiles:
                    failed = self._failed(some, limit) if compiles else None
                if not compiles:
                    return "broken"
                if failed is None:
                    break
                if failed not in some or self._passes(failed):
                    return "noticed"
                some.remove(failed)  # it fails without the change, too: it needs one that ran before it
        return "survived"

    @contextmanager
    def _made(self, change: Change) -> Iterator[bool]:
        """The tree with the change, and whether it compiles."""
        path, source = self.folder / change.file, self.read(change.file)
        made = change.made(source)
        try:
            path.write_bytes(made)
            yield self._compile(change.file) and _parses(change.file, made)
        finally:
            path.write_bytes(source)
            self._compile(change.file)

    def _tests(self, change: Change, executed: Executed) -> set[str]:
        """The tests that execute the changed statement; for a name of a module, those that execute its use."""
        return self._reached(change, executed) | _of_copies(change.file, executed)

    def _reached(self, change: Change, executed: Executed) -> set[str]:
        if change.file.endswith(".c"):
            return executed.of_file(change.file.removesuffix("c") + "py")
        within, name = _statement(self.read(change.file), change.line)
        if within:
            # Without a test: it ran while something was imported, or in a process that was killed.
            return executed.of(change.file, within) or executed.of_file(change.file) | self._naming(change, executed)
        found = set[str]()
        for file in self.files if name else ():
            if file.endswith(".py") and not file.startswith("tests/"):
                lines = self.read(file).decode().split("\n")
                found |= executed.of(file, (n for n, line in enumerate(lines, 1) if re.search(rf"\b{name}\b", line)))
        return found | executed.of_file(change.file)

    def _naming(self, change: Change, executed: Executed) -> set[str]:
        """The tests of the files that import the changed module."""
        module = change.file.removesuffix(".py").replace("/", ".").encode()
        files = {name for name in self.files if name.startswith("tests/") and module in self.read(name)}
        return {test for test in executed.seconds if test.split("::")[0] in files}

    def _compile(self, name: str) -> bool:
        return not name.endswith(".c") or compiled(self.folder / name, lambda _: None) is not None

    def _failed(self, tests: list[str], limit: float) -> str | None:
        """The first test that fails: None where all pass, empty where none is named (a crash, or too late)."""
        wanted = self.folder.parent / "tests.txt"
        wanted.write_text("\n".join(tests), encoding="utf-8")
        running = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"@{wanted}"], cwd=self.folder,
            env=environment(self.folder), start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, errors="replace", preexec_fn=_limit_memory,
        )  # fmt: skip
        said = ""
        try:
            said, _ = running.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return ""
        finally:
            # The group ends with them: what they started, too.
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        if running.returncode == 0:
            return None
        named = re.search(r"^(?:FAILED|ERROR) (tests/\S+?::.*?)(?: - |$)", said, re.MULTILINE)
        return named[1] if named else ""


def _of_copies(file: str, executed: Executed) -> set[str]:
    """The tests that run a copy of the converter, which coverage does not see."""
    return {t for t in executed.seconds if file.startswith("dataset_prep/") and "without_a_compiler" in t}


def _portions(tests: Iterable[str], seconds: dict[str, float]) -> list[list[str]]:
    """The fastest tests, then the others, each file's together, the fastest file first."""

    def by_file(some: list[str]) -> list[str]:
        whole: defaultdict[str, float] = defaultdict(float)
        for test in some:
            whole[test.split("::")[0]] += seconds[test]
        return sorted(some, key=lambda test: (whole[test.split("::")[0]], test))

    first: list[str] = []
    later: list[str] = []
    so_far = 0.0
    for test in sorted(tests, key=lambda test: seconds[test]):
        so_far += seconds[test]
        if so_far < AT_MOST:
            (first if so_far < AT_FIRST else later).append(test)
    return [by_file(some) for some in (first, later) if some]


def _statement(source: bytes, line: int) -> tuple[range | None, str]:
    """The lines that tell whether the statement is executed, or the name that a statement of a module gives a value."""
    inside: list[ast.stmt] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            inside.append(node)
    inside.sort(key=lambda node: ((node.end_lineno or 0) - node.lineno, -node.col_offset))
    functions = [node for node in inside if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    statement = inside[0] if inside else None
    if functions and statement is not None:
        body: list[ast.stmt] = getattr(statement, "body", [])
        end = statement.end_lineno or statement.lineno
        if statement in functions:
            return range(body[0].lineno, end + 1), ""
        return range(statement.lineno, (max(statement.lineno, body[0].lineno - 1) if body else end) + 1), ""
    target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
    top = len(inside) == 1
    return None, target.id if top and isinstance(target, ast.Name) else ""


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _parses(file: str, source: bytes) -> bool:
    try:
        return not file.endswith(".py") or compile(source, file, "exec") is not None
    except SyntaxError:
        return False
