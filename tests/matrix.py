"""On which Pythons do the tests pass? Runs them on each, and writes docs/pythons.md.

python -m tests.matrix     # every Python found; the smallest versions on the oldest, and the newest on the newest
python -m tests.matrix python3.13 --versions newest
python -m tests.matrix python3.13 --failed   # run again what failed there

It needs nothing installed: `make` installs each Python's packages into build/pythons/.
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PAGE, RECORDS = ROOT / "docs/pythons.md", ROOT / "results/records/pythons.jsonl"
KNOWN = ("3.10", "3.11", "3.12", "3.13", "3.14")
VERSIONS = {"tested": "constraints.txt", "smallest": "constraints-smallest.txt", "newest": os.devnull}
PACKAGES = ("torch", "numpy", "pandas", "scipy", "recbole")
MARK = "<!-- From here on `make matrix` writes. -->\n"


def version(python: str | Path) -> str | None:
    """`3.13.0` of a program; None where it does not run."""
    try:
        asked = [python, "-c", "import platform; print(platform.python_version())"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def found() -> list[str | Path]:
    """A program for each known Python: on the PATH, else of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    programs = []
    for name in KNOWN:
        named = [f"python{name}", *sorted(pyenv.glob(f"{name}.*/bin/python"), reverse=True)]
        programs += [one for one in named if version(one)][:1]
    return programs


def minor(whole: str) -> tuple[int, ...]:
    return tuple(map(int, whole.split(".")[:2]))


def measured(python: str | Path, versions: str, processes: int, failed: bool) -> dict:
    """Install the packages, run the tests, or those that failed before -> the record of it."""
    whole = version(python)
    if whole is None:
        sys.exit(f"{python} does not run.")
    folder = ROOT / "build/pythons" / f"{'.'.join(whole.split('.')[:2])}-{versions}"
    make = ["make", f"VENV={folder}", f"PYTHON={python}", f"CONSTRAINTS={VERSIONS[versions]}"]
    subprocess.run([*make, f"{folder}/.installed-dev"], cwd=ROOT, check=True)
    program, report = folder / "bin/python", folder / "tests.xml"
    began = time.monotonic()
    tests = ["pytest", "-q", "--numprocesses", str(processes), "--dist", "loadfile", f"--junitxml={report}"]
    tests += ["-o", f"cache_dir={folder / 'cache'}", *(["--last-failed"] if failed else [])]
    subprocess.run([program, "-m", *tests], cwd=ROOT)
    minutes = (time.monotonic() - began) / 60
    asked = f"from importlib.metadata import version as v; print(*map(v, {PACKAGES}))"
    installed = subprocess.run([program, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    record = {"python": whole, "versions": versions, "date": dt.date.today().isoformat(), "minutes": round(minutes)}
    record |= dict(zip(PACKAGES, installed, strict=True)) | counted(report)
    if not failed:
        return record
    return together(next(one for one in read() if kind(one) == kind(record)), record)


def together(before: dict, again: dict) -> dict:
    """One record of a run and of the run of what failed in it."""
    ran = again["passed"] + again["failed"]
    if ran != before["failed"]:
        sys.exit(f"{ran} tests were run again, and {before['failed']} had failed. Run them all.")
    sums = {name: before[name] + again[name] for name in ("passed", "minutes")}
    return again | sums | {"skipped": before["skipped"], "again": before.get("again", 0) + ran}


def counted(report: Path) -> dict:
    """Passed, failed and skipped tests of pytest's report, and the names of those that failed."""
    (suite,) = ElementTree.parse(report).getroot()
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    skipped = int(suite.attrib["skipped"])
    names = [
        f"{case.attrib['classname']}.{case.attrib['name']}"
        for case in suite.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]
    passed = int(suite.attrib["tests"]) - failed - skipped
    return {"passed": passed, "failed": failed, "skipped": skipped, "names": names}


def page(records: Iterable[dict]) -> str:
    """The table, and what failed."""
    columns = ("python", "versions", *PACKAGES, "passed", "failed", "skipped", "minutes", "date")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    done = sorted(records, key=lambda one: (list(VERSIONS).index(one["versions"]), minor(one["python"])))
    absent = [name for name in KNOWN if minor(name) not in {minor(one["python"]) for one in done}]
    for one in done:
        lines.append(
            "| "
            + " | ".join(
                f"{one[name]:,}" if name in ("passed", "failed", "skipped") else str(one[name]) for name in columns
            )
            + " |"
        )
    lines += [f"| {name} | not run |" + " |" * (len(columns) - 2) for name in absent]
    for one in done:
        if one.get("again"):
            lines += ["", f"Tests run again on {one['python']} after they had failed: {one['again']}."]
        if one["names"]:
            lines += ["", f"Failed on {one['python']}, {one['versions']} versions:", ""]
            lines += [f"- `{name}`" for name in one["names"][:20]]
    return "\n".join(lines) + "\n"


def kind(record: dict) -> tuple[tuple[int, ...], str]:
    """A later record of the same kind takes the place of an earlier one."""
    return minor(record["python"]), record["versions"]


def read() -> list[dict]:
    lines = RECORDS.read_text(encoding="utf-8").splitlines() if RECORDS.exists() else []
    return [json.loads(line) for line in lines]


def keep(record: dict) -> None:
    """The record takes the place of the earlier one of its kind, and the page is drawn again."""
    records = [one for one in read() if kind(one) != kind(record)] + [record]
    RECORDS.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    PAGE.write_text(PAGE.read_text(encoding="utf-8").partition(MARK)[0] + MARK + "\n" + page(records), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="*", help="Programs; without any, those found.")
    parser.add_argument("--versions", choices=VERSIONS, default="tested", help="Of the packages.")
    parser.add_argument("--failed", action="store_true", help="Run again the tests that failed.")
    parser.add_argument("--processes", type=int, default=2, help="Of pytest.")
    given = parser.parse_args()
    runs = [(python, given.versions) for python in given.pythons or found()]
    if not given.pythons and given.versions == "tested":
        runs += [(runs[0][0], "smallest"), (runs[-1][0], "newest")]
    for python, versions in runs:
        keep(measured(python, versions, given.processes, given.failed))


if __name__ == "__main__":
    main()
