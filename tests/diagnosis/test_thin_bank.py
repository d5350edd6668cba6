"""Thin slices of real logs: is thinness named first and alone, and does each advice give what it promises?"""

from __future__ import annotations

import gzip
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dataset_prep.__main__ import main as prep
from recbole_alibaba.cli import main
from recbole_alibaba.diagnosis.findings import THIN_DATA

LOWEST = ["--min-known=0", "--min-interactions=1", "--min-users=1", "--min-items=1"]
SYMPTOMS = {"never-stops", "metric-flat"}  # of held-out items that training never saw
SIZE = re.compile(r"([\d,]+) pairs, ([\d,]+) users, ([\d,]+) items$", re.MULTILINE)


def of_days(*days: int) -> Callable[[list[str]], Iterator[str]]:
    return lambda lines: (line for line in lines if any(f",2014-12-{day:02} " in line for day in days))


def of_users(count: int) -> Callable[[list[str]], Iterator[str]]:
    def chosen(lines: list[str]) -> Iterator[str]:
        users = set(list(dict.fromkeys(line.partition(",")[0] for line in lines))[:count])
        return (line for line in lines if line.partition(",")[0] in users)

    return chosen


def of_behavior(column: int, value: str) -> Callable[[list[str]], Iterator[str]]:
    return lambda lines: (line for line in lines if line.split(",")[column] == value)


# source, the slice, whether another conversion of it is enough
BANK = {
    "mobile, one day": ("mobile", of_days(1), True),
    "mobile, two days": ("mobile", of_days(1, 2), True),
    "mobile, purchases": ("mobile", of_behavior(2, "4"), True),
    "mobile, fifty users": ("mobile", of_users(50), True),
    "mobile, two users": ("mobile", of_users(2), False),
    "userbehavior, purchases": ("userbehavior", of_behavior(3, "buy"), True),
    "userbehavior, a hundred users": ("userbehavior", of_users(100), True),
}


@pytest.fixture(scope="module")
def logs() -> dict[str, list[str]]:
    folder = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real slices in ../shared/data, which are not part of the project")
    with gzip.open(folder / "tianchi_mobile/tianchi_mobile_recommend_train_user.csv.gz", "rt") as file:
        mobile = file.readlines()
    return {"mobile": mobile, "userbehavior": (folder / "userbehavior/UserBehavior.csv").read_text().splitlines(True)}


def typed(command: str) -> Result:
    return CliRunner().invoke(prep, shlex.split(command.partition("python -m dataset_prep ")[2]))


@pytest.mark.parametrize("name", BANK)
def test_thinness_is_named_and_its_remedies_are_true(
    name: str, logs: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source, chosen, curable = BANK[name]
    header = logs["mobile"][:1] if source == "mobile" else []
    Path("log.csv").write_text("".join([*header, *chosen(logs[source][len(header) :])]))
    whole = [source, "--log", "log.csv", "--name", "x"]

    # The converter refuses it, or widens what was not typed. Each command that it offers leaves what it says.
    refused = CliRunner().invoke(prep, whole)
    offers = [line.strip() for line in refused.output.splitlines() if "python -m dataset_prep" in line]
    assert (refused.exit_code, bool(offers)) == (2, curable), refused.output
    for offer in offers:
        done = typed(offer.partition("   leaves ")[0] + " --force")
        assert done.exit_code == 0, done.output
        assert SIZE.findall(done.output)[-1] == SIZE.findall(offer)[0]

    # Written all the same, the doctor names thinness first, and nothing that it does not explain.
    assert CliRunner().invoke(prep, [*whole, *LOWEST, "--force"]).exit_code == 0
    told = CliRunner().invoke(main, ["doctor", "--dataset=x"])
    assert told.exit_code == 3, told.output
    found = re.findall(r"^(?:wrong|doubtful) (\S+):", told.output, re.MULTILINE)
    assert found[0] in THIN_DATA
    assert set(found) <= {*THIN_DATA, *SYMPTOMS}, told.output
    causes = re.findall(r"\(([\w-]+)\)", told.output.partition("Likeliest causes: ")[2].partition("\n")[0])
    assert set(causes) <= set(THIN_DATA)
    command = re.search(r"tried and is healthy: (python -m dataset_prep .*)", told.output)
    assert bool(command) == curable, told.output
    if command:
        assert typed(command[1]).exit_code == 0
        again = CliRunner().invoke(main, ["doctor", "--dataset=x"])
        assert again.exit_code == 0, again.output
