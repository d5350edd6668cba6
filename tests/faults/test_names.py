"""Ids, columns and paths that are SQL, HTML, a formula or a shell's words: everywhere they stay what they are."""

import csv
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from evil_names import EVIL, ITEMS, USERS, Command, Evil

from dataset_prep.sources.sample import write_sample
from recbole_alibaba import load


class Elements(HTMLParser):
    """The names of a page's elements, their attributes that run code or load something, and code with an alert."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.live: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.live += [data] if self.cdata_elem == "script" and "alert(1)" in data else []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.live += [f"{name}={value}" for name, value in attrs if name.startswith("on") or name in ("src", "action")]
        self.live += [f"{name}={value}" for name, value in attrs if name == "href" and value != "data:,"]


def test_every_id_is_kept_to_the_byte(evil: Evil) -> None:
    with evil.log.open(newline="", encoding="utf-8") as file:
        rows = sorted(tuple(row) for row in list(csv.reader(file))[1:])
    lines = (evil.data / "evil.inter").read_text(encoding="utf-8").split("\n")[1:-1]
    assert sorted(tuple(line.split("\t")) for line in lines) == rows
    model = load(evil.run)
    assert set(model.users.texts[1:]) == set(USERS) and set(model.items.texts[1:]) == set(ITEMS)


@pytest.mark.parametrize("name", ["a.csv", "a'; DROP TABLE result; --.parquet", "a <b>.jsonl"])
def test_recommendations_have_the_ids_of_the_data(evil: Evil, command: Command, name: str) -> None:
    users = Path("users.txt")
    users.write_text("user_id\n" + "".join(f"{user}\n" for user in EVIL), encoding="utf-8")
    done = command("recommend", evil.run, f"--users={users}", f"--k={len(ITEMS)}", "--seen", f"--output={name}")
    assert done.exit_code == 0, done.output
    if name.endswith(".csv"):
        with Path(name).open(newline="", encoding="utf-8") as file:
            pairs = [(row["user"], row["item"]) for row in csv.DictReader(file)]
    elif name.endswith(".parquet"):
        quoted = name.replace("'", "''")
        pairs = duckdb.sql(f"SELECT user, item FROM '{quoted}'").fetchall()
    else:
        pairs = [(row["user"], row["item"]) for row in map(json.loads, Path(name).read_text("utf-8").splitlines())]
    assert set(pairs) == {(user, item) for user in EVIL for item in ITEMS} and len(pairs) == len(EVIL) * len(ITEMS)
    assert ("begins like a formula" in done.stderr) == name.endswith(".csv")
    assert not Path("hit").exists()


def test_ids_on_the_command_line_and_vectors(evil: Evil, command: Command) -> None:
    for item in EVIL:
        found = command("similar", evil.run, "--k=3", f"--item={item}", "--output=near.jsonl")
        assert found.exit_code == 0, found.output
    assert command("export", evil.run, "--output=a'b", "--format=parquet").exit_code == 0
    tokens = duckdb.sql("SELECT token FROM 'a''b/items.parquet'").fetchall()
    assert {token for (token,) in tokens} == set(ITEMS)


def test_no_page_has_an_element_of_the_data(evil: Evil, command: Command, tmp_path: Path) -> None:
    """Also where a record was forged: a run's folder may come from somebody else."""
    forged = Path(shutil.copytree(evil.run, tmp_path / "forged"))
    attack = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
    record = json.loads((forged / "run.json").read_text("utf-8")) | {"model": attack, "dataset": attack}
    record |= {"warnings": [{"id": attack, "message": attack, "remedy": attack}], "command": [attack]}
    (forged / "run.json").write_text(json.dumps(record), encoding="utf-8")
    done = command("report", forged)
    assert done.exit_code == 0, done.output
    words = [f"--data_path={evil.data.parent}", "--embedding_size=8", "--topk=[5]", "--valid_metric=NDCG@5"]
    examined = command("doctor", "--dataset=evil", *words, f"--wandb_project={attack}", "--output=doctor")
    assert examined.exit_code in (0, 3), examined.output
    users, _ = write_sample(tmp_path / "raw")
    log = users.rename(f"{attack.replace('/', '')}.csv")
    assert command("prep", "inspect", log, "--html=inspect.html").exit_code == 0
    here = [Path("doctor/doctor.html"), Path("inspect.html")]
    pages = [evil.data / "funnel.html", evil.run / "report.html", forged / "report.html", *here]
    for page in pages:
        found = Elements(page.read_text(encoding="utf-8"))
        assert not found.live and not found.names & {"img", "b", "iframe", "object"}, page
