"""Every command and every Python block of README and docs/ is run, as typed, page by page in a prepared folder."""

import gzip
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import dataset_prep
from recbole_alibaba import run
from recbole_alibaba.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_PYTHON = [page for page in PAGES if "```python\n" in page.read_text("utf-8")]
LOG, ITEMS = "tianchi_mobile_recommend_train_user.csv", "tianchi_mobile_recommend_train_item.csv"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = ("recbole-alibaba ", "python ", "pip ", "make ", "curl ")
NOT_RUN = {
    "make demo": "installs; test_demo runs the demo and compares it with README",
    "make test": "runs these tests",
    "pip install": "installs; tests/packaging/test_wheel.py installs the wheel",
    "recbole-alibaba demo": "test_demo runs it",
    "recbole-alibaba serve": "does not end; the last test here starts, asks and stops it",
    "curl": "needs the server; tests/serving asks these addresses",
    "recbole-alibaba board": "trains for minutes; tests/board runs boards of seconds",
}
"""What begins so is not run, and why."""
CHANGED = {" --epochs=600": "", "saved/RUN": "saved/A"}
"""Words that stand for something of the reader's, or take long."""
ADDED = {"run": ["--epochs=3"], "prep mobile": ["--force"]}
"""So that a training is short, and a page may make a data set that is there already."""


def commands(page: Path) -> list[str]:
    """The lines of its shell blocks: continued lines joined, comments dropped."""
    blocks = [text for language, text in BLOCK.findall(page.read_text("utf-8")) if language in ("sh", "bash")]
    typed = re.sub(r"\\\n\s*", "", "".join(blocks)).splitlines()
    return [line for line in (re.sub(r"\s+# .*", "", line).strip() for line in typed) if line]


def reason(line: str) -> str | None:
    return next((why for start, why in NOT_RUN.items() if line.startswith(start)), None)


def words_of(line: str) -> list[str]:
    """The words of `recbole-alibaba`, whichever of its programs was typed."""
    for typed, meant in CHANGED.items():
        line = line.replace(typed, meant)
    words = shlex.split(line)
    if words[0] == "recbole-alibaba":
        words = words[1:]
    elif words[:2] == ["python", "run.py"]:
        words = ["run", *words[2:]]
    elif words[:3] == ["python", "-m", "dataset_prep"]:
        words = ["prep", *words[3:]]
    else:
        pytest.fail(f"Nothing here runs {line!r}: add it, or a reason to NOT_RUN.")
    return words + next((more for start, more in ADDED.items() if f"{' '.join(words)} ".startswith(f"{start} ")), [])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages take for granted: the made-up log, two data sets, runs."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        dataset_prep.write_sample(".")
        for name in ("tianchi-mobile", "demo"):
            dataset_prep.convert("mobile", LOG, items=ITEMS, name=name)
        shutil.copy(LOG, "log.csv")
        shutil.copy(ITEMS, "item.csv")
        Path("user.csv.gz").write_bytes(gzip.compress(Path(LOG).read_bytes(), 1))
        Path("my.yaml").write_text("epochs: 2\n", encoding="utf-8")
        Path("baskets.csv").write_text("user,item\nnew,94999295\nnew,160500201\n", encoding="utf-8")
        made = run(dataset="tianchi-mobile", config_dict={"epochs": 2, "show_progress": False})
        for name in "AB":
            shutil.copytree(made["run"], f"saved/{name}")
    return folder


@pytest.fixture(scope="module")
def folder_of(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy for each page, in which its commands follow each other."""
    made: dict[str, Path] = {}

    def folder(page: str) -> Path:
        if page not in made:
            made[page] = shutil.copytree(prepared, tmp_path_factory.mktemp("page") / "work")
            (made[page] / "properties").symlink_to(ROOT / "properties")
        return made[page]

    return folder


def typed() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield from ((page.name, line) for line in commands(page) if not reason(line))


@pytest.mark.parametrize(("page", "line"), typed())
def test_a_command(page: str, line: str, folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder_of(page))
    words = words_of(line)
    done: Result = CliRunner().invoke(main, words)
    wrong = words[0] == "doctor" and re.search("adam |before.yaml", line)  # the page shows the doctor something faulty
    assert done.exit_code == (3 if wrong else 0), done.output
    if "--users=10093051" in line:
        assert done.stdout.splitlines()[0] == "user,rank,item,score" and len(done.stdout.splitlines()) == 4
    for name in re.findall(r"--output=(\S+)", line):
        assert list(Path().glob(f"{name}*"))


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_the_python_of_a_page(
    page: Path, folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, no_arguments: None
) -> None:
    monkeypatch.chdir(folder_of(page.name))
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "python":
            exec(compile(text, page.name, "exec"), {})


def test_the_notebook_from_top_to_bottom(tmp_path: Path, no_arguments: None) -> None:
    cells = json.loads((ROOT / "docs" / "quickstart.ipynb").read_text("utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "quickstart.ipynb", "exec"), names)
    assert names["result"]["test_result"]["ndcg@20"] > names["result"]["popularity_result"]["ndcg@20"]


def test_no_command_is_left_out() -> None:
    """A block of commands is marked `sh`, and each reason is still needed."""
    unmarked = [
        line
        for page in PAGES
        for language, text in BLOCK.findall(page.read_text("utf-8"))
        if not language
        for line in text.splitlines()
        if line.startswith(PROGRAMS)
    ]
    assert not unmarked
    lines = [line for page in PAGES for line in commands(page)]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []


def test_the_server_is_started_asked_and_stopped(prepared: Path) -> None:
    command = [sys.executable, "-c", "from recbole_alibaba.cli import main; main()", "serve", "latest", "--port=0"]
    with subprocess.Popen(command, cwd=prepared, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        address = server.stdout.readline().partition("/docs")[0]
        with urllib.request.urlopen(f"{address}/recommend/10093051?k=3") as answer:
            found = json.load(answer)
        server.send_signal(signal.SIGINT)
        assert server.wait() == 0
    assert len(found["items"]) == 3 and found["popular"] is False
