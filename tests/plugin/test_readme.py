"""The commands of README's section on recommending, as typed, on the demo's data set; the server as a process."""

import json
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import dataset_prep
from recbole_alibaba import run
from recbole_alibaba.cli import main

README = Path(__file__).resolve().parent.parent.parent / "README.md"
ITEMS = "tianchi_mobile_recommend_train_item.csv"


def commands() -> list[str]:
    section = README.read_text(encoding="utf-8").partition("## Recommend, explain")[2].partition("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    lines = [line.partition("   #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(("recbole-alibaba", "python run.py"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("readme"))
        dataset_prep.write_sample(".")
        dataset_prep.convert(
            "mobile", "tianchi_mobile_recommend_train_user.csv", items=ITEMS, name="tianchi-mobile", output="dataset"
        )
        run(dataset="tianchi-mobile", config_dict={"epochs": 2, "show_progress": False})
        Path("baskets.csv").write_text("user,item\nnew,94999295\nnew,160500201\n", encoding="utf-8")
        yield Path.cwd()


def test_there_are_commands() -> None:
    assert {line.split()[1] for line in commands()} == {"recommend", "similar", "export", "serve", "report", "run.py"}


@pytest.mark.parametrize("line", [line for line in commands() if " serve " not in line])
def test_a_command_of_readme(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    words = shlex.split(line)
    words = words[1:] if words[0] == "recbole-alibaba" else ["run", *words[2:], "--epochs=3"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    if "--users=10093051" in line:
        assert done.stdout.splitlines()[0] == "user,rank,item,score" and len(done.stdout.splitlines()) == 4
    for name in re.findall(r"--output=(\S+)", line):
        assert Path(name).stat().st_size


def test_the_server_is_started_asked_and_stopped(folder: Path) -> None:
    command = [sys.executable, "-c", "from recbole_alibaba.cli import main; main()", "serve", "latest", "--port=0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        address = server.stdout.readline().partition("/docs")[0]
        with urllib.request.urlopen(f"{address}/recommend/10093051?k=3") as answer:
            found = json.load(answer)
        server.send_signal(signal.SIGINT)
        assert server.wait() == 0
    assert len(found["items"]) == 3 and found["popular"] is False
