"""Which conversions must keep their bytes, and the logs they read. Run as a script, this file records new ones."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import shlex
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from itertools import product
from pathlib import Path

from click.testing import CliRunner
from prep_data import SHARED

from dataset_prep.__main__ import main
from dataset_prep.sources.sample import write_sample

GOLDEN = Path(__file__).with_name("golden.json")
DIRT = ("broken", "crlf", "bom", "blank", "quoted", "header", "latin", "long", "zeros", "all")
DAYS = "--split 'date 2014-12-08,2014-12-14'"
FAR = 10**22  # no 64 bits hold it
LEAST = "--min-user 1 --min-item 1 --min-interactions 1 --min-users 1 --min-items 1"
TEXT = "csv --log text.csv --user-column uid --item-column sku"
KINDS = "--behavior-column event --behavior-values view,cart,buy"
SLICE, SUBSET = (f"shared/tianchi_mobile/tianchi_mobile_recommend_train_{name}" for name in ("user.csv.gz", "item.csv"))

UNLIKE = ("funnel.html", "source.json")
PATHS = r" --(log|items|output|reader|engine) \S+"
"""What of a refusal depends on where and how it was run."""

COMMANDS = {
    "mobile --users user.csv": [
        *("", "--behaviors buy", "--behaviors 3,4", "--behaviors 1,2,3,4", "--items item.csv"),
        *("--items item.csv --all-items", "--items item.csv --item-geohash", "--protocol repeat"),
        "--protocol repeat --items item.csv --behaviors 1,2,3,4 --item-geohash",
        *(
            f"{split} --core-on {core} --cold {cold}"
            for split in ("--split last", "--split 'ratio 0.7,0.1,0.2'", DAYS)
            for core, cold in product(("all", "train"), ("drop", "keep"))
        ),
        *(f"--protocol repeat {how}" for how in ("--split last", DAYS, "--split 'ratio 8,1,1' --core-on train")),
        *("--level category", "--level category --protocol repeat --split last --core-on train"),
        *("--from 2014-11-25 --to '2014-12-10 12'", f"--from 2014-11-25 --items item.csv {DAYS}"),
        *("--min-user 5 --min-item 3", "--min-user 9 --min-item 20 --min-interactions 9000"),
        "--behaviors buy --items item.csv --min-user 5 --min-item 5 --strict",
        *("--behaviors buy --min-interactions 30000", "--from 2015-01-01"),
        "--behaviors buy --split last --core-on train --min-interactions 12000",
    ],
    "mobile": [
        *("--users user.csv.gz", "--users user.zip", "--users 1.csv --users 2.csv", "--users '[12].csv'"),
        *("--users tabs.txt", "--users broken.csv", "--users all.csv --protocol repeat --split last --max-bad 1"),
        *(f"--users {kind}.csv --behaviors 1,2,3,4 --max-bad 1" for kind in DIRT),
    ],
    f"tmall {LEAST}": [
        *("--log tmall15.csv", "--log tmall15.csv --user-info info.csv --behaviors 0,1,2,3"),
        *("--log tmall15.csv --level category", "--log tmall16.csv", "--log tmall16.csv --behaviors buy --split last"),
    ],
    f"userbehavior --log userbehavior.csv {LEAST}": [
        *("", "--from '' --to '' --protocol repeat"),
        "--behaviors cart,buy --split 'ratio 0.6,0.2,0.2' --core-on train",
    ],
    f"{TEXT} {LEAST}": [
        *("", f"{KINDS} --category-column cat", f"{KINDS} --time-column when --time-format datetime"),
        f"--time-column when --time-format datetime {KINDS} --behaviors buy,cart --protocol repeat --split last",
        *("--category-column cat --level category", "--items skus.csv", "--items skus.csv --all-items"),
    ],
    f"csv --log wide.csv --user-column uid --item-column sku --time-column when --time-format datetime {LEAST}": [""],
    f"csv --log numbers.txt --user-column 2 --item-column 1 {LEAST}": [
        *("", "--time-column 4 --time-format date --behavior-column 3 --behavior-values v,c,b --category-column 5"),
    ],
    "split --train train.txt --test test.txt --max-bad 0.1": [
        *("", "--valid-share 0.1", "--valid-share 0.1 --seed 7 --cold drop", "--valid valid.txt", "--cold drop"),
        *("--protocol repeat", "--valid valid.txt --protocol repeat --cold drop"),
    ],
    f"mobile --users {SLICE}": [
        *("--behaviors 1,2,3,4", f"--behaviors 1,2,3,4 --items {SUBSET} --item-geohash {DAYS} --core-on train"),
        *("--behaviors 2,3,4 --level category --protocol repeat", f"--behaviors 4 --items {SUBSET}"),
    ],
    "userbehavior --log shared/userbehavior/UserBehavior.csv": [
        *("--from '' --to ''", "--split 'date 2017-12-02,2017-12-03' --core-on train --cold keep"),
    ],
    "split --train shared/gowalla/train.txt.gz --test shared/gowalla/test.txt.gz": [""],
    "split --train shared/taobao_buy/train.txt.gz --test shared/taobao_buy/test.txt.gz": ["--cold drop"],
}
CASES = [f"{command} {options}".strip() for command, choices in COMMANDS.items() for options in choices]


def write_logs(folder: Path) -> Path:
    """Everything the commands read, below *folder*; the slices as a link, which may lead nowhere."""
    users, items = write_sample(folder)
    items.rename(folder / "item.csv")
    users = users.rename(folder / "user.csv")
    header, *rows = lines = users.read_text().splitlines()
    (folder / "user.csv.gz").write_bytes(gzip.compress(users.read_bytes()))
    with zipfile.ZipFile(folder / "user.zip", "w") as archive:
        archive.writestr("a.csv", "\n".join(lines[:30_000]))
        archive.writestr("b/c.csv", "\r\n".join(lines[30_000:]) + "\r\n")
    (folder / "1.csv").write_text("\n".join(rows[25_000:]))
    (folder / "2.csv").write_text("\n".join(lines[:25_001]) + "\n")
    (folder / "tabs.txt").write_text("\n".join(lines).replace(",", "\t") + "\n")
    for kind in DIRT:
        (folder / f"{kind}.csv").write_bytes(dirty(kind, header, rows[:10_000]))
    write_others(folder, random.Random(14))
    (folder / "shared").symlink_to(SHARED)
    return folder


def dirty(kind: str, header: str, rows: Iterable[str]) -> bytes:
    """The rows with dirt of one kind at random places, or of all kinds."""
    rng = random.Random(kind)
    found = [] if kind in ("zeros", "long") else [header]
    for row in rows:
        u, i, b, _, c, t = row.split(",")
        end = f"{c},{t}"
        odd = {
            "broken": rng.choice([f"{u},{i}", "a", f"{u},,{b},,{end}", f"{u},{i},9,,{end}", f"{row}:00", f"{row},1"]),
            "blank": rng.choice([f"{row}\n", f"{row}\n \n", f"\n{row}"]),
            "quoted": rng.choice([f'"{u}",{i},{b},"a,""b",{end}', f'{u},{i},{b},",{end}', f'{u},{i},{b},"x"y,{end}']),
            "header": f"{header}\n{row}",
            "latin": f"{u},{i},{b},\xe9,{end}",
            "long": f"{u},{i},{b},{'x' * rng.choice([40_000, 70_000])},{end}",
            "zeros": rng.choice([f"0{row}", f" {row}", f"{FAR}{row}", f"{u},0{i},{b},,{end}", f"{u},{i},{b},,0{end}"]),
        }  # fmt: skip
        share = 0.001 if kind == "long" else 0.02
        chosen = odd.get(kind) or rng.choice([odd[name] for name in odd if name != "long"])
        found.append(chosen if kind not in ("crlf", "bom") and rng.random() < share else row)
    text = ("\r\n" if kind in ("crlf", "all") else "\n").join(found) + ("" if kind == "crlf" else "\n")
    return (b"\xef\xbb\xbf" if kind in ("bom", "all") else b"") + text.encode("latin-1")


def write_others(folder: Path, rng: random.Random) -> None:
    """Small logs of the other sources, and a published split."""

    def save(name: str, make: Iterable[Iterable[object]], header: str = "", sep: str = ",", end: str = "\n") -> None:
        lines = [header] * bool(header) + [sep.join(map(str, row)) for row in make]
        (folder / name).write_bytes((end.join(lines) + end).encode())

    drawn = [(rng.randrange(1, 80), rng.randrange(1, 90), rng.randrange(3), rng.randrange(31)) for _ in range(2_000)]
    save(
        "tmall15.csv",
        [(u, i, i % 7, u % 9, rng.choice(["", i % 5]), f"11{d % 30 + 1:02}", (u + k) % 4) for u, i, k, d in drawn],
        "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type",
    )
    info = [(u, rng.choice(["", 0, 3, 8]), rng.choice(["", 0, 1, 2])) for u in range(1, 70)]
    save("info.csv", info, "user_id,age_range,gender")
    save(
        "tmall16.csv",
        [(u, i % 9, i, i % 7, k % 2, f"201510{d % 31 + 1:02}") for u, i, k, d in drawn],
        "use_ID,sel_ID,ite_ID,cat_ID,act_ID,time",
    )
    names = ("pv", "fav", "cart", "buy")
    seen = [(u, i, i % 7, names[(k + d) % 4], 1511500000 + d * 30_000 + u) for u, i, k, d in drawn]
    save("userbehavior.csv", [*seen, (1, 2, 3, "pv", -2134949234), (1, 4, 3, "buy", 2122867355)], end="\r\n")
    kinds = ("view", "cart", "buy")
    text = [(f"2020-01-{d + 1:02} 0{k}:59:00", f"u-{u}", f"0{i}" if k else i, kinds[k], i % 7) for u, i, k, d in drawn]
    save("text.csv", text, "when,uid,sku,event,cat")
    save("wide.csv", [(when, u.replace("-", "-ü零"), *rest) for when, u, *rest in text], "when,uid,sku,event,cat")
    save("skus.csv", [(f"0{i}",) for i in range(1, 90, 2)], "sku")
    save("numbers.txt", [(i, u, "vcb"[k], f"2020-01-{d + 1:02}", i % 7) for u, i, k, d in drawn], sep="\t")
    lists: dict[str, list[list[object]]] = {
        name: [[rng.randrange(60), *rng.choices(range(120), k=n)] for _ in range(n * 8)]
        for name, n in (("train.txt", 12), ("valid.txt", 2), ("test.txt", 4))
    }
    lists["train.txt"] += [["7"], [], ["8", '"9"'], ["9", "1,2"]]
    for name, made in lists.items():
        save(name, made, sep=" ", end="\r\n" if name == "test.txt" else "\n")


def digests(exit_code: int, output: str, written: Path) -> dict[str, str]:
    """File -> SHA-256 of what a conversion wrote, without ``UNLIKE``; of a refusal, its funnel and message."""
    assert exit_code in (0, 2), output
    if exit_code == 0:
        files = {path.name: path.read_bytes() for path in written.iterdir() if path.name not in UNLIKE}
    else:
        shown = re.search(r"^(rows of the log: |\w+Error: ).*", output, re.DOTALL | re.MULTILINE)
        files = {"refused": re.sub(PATHS, "", shown[0]).encode() if shown else b""}
        assert shown and not written.exists(), output
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def words(command: str, logs: Path, output: Path) -> list[str]:
    """The command's words, its files found in the folder *logs*."""
    found = [str(logs / word) if re.search(r"\.(csv|txt|gz|zip)$", word) else word for word in shlex.split(command)]
    return [*found, "--output", str(output), "--name", "x"]


def converted(command: str, logs: Path, output: Path, *more: str) -> dict[str, str]:
    """Convert in this process."""
    result = CliRunner().invoke(main, [*words(command, logs, output), *more])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return digests(result.exit_code, result.output, output / "x")


def record(replace: bool) -> str:
    """Add what is new in the table. What is recorded already changes only where *replace* says so."""
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        logs = write_logs(Path(scratch))
        able = [case for case in CASES if "shared/" not in case or SHARED.is_dir()]
        made = {case: converted(case, logs, logs / "out" / str(number)) for number, case in enumerate(able)}
    changed = [case for case in known if case not in CASES or made.get(case, known[case]) != known[case]]
    if changed and not replace:
        return "\n  ".join(["nothing recorded; these changed or left the table, --replace records them:", *changed])
    GOLDEN.write_text(json.dumps({case: made.get(case) or known[case] for case in CASES}, indent=1) + "\n")
    return f"{len(made)} cases, {len(made.keys() - known.keys())} of them new, {len(changed)} changed"


if __name__ == "__main__":
    print(record("--replace" in sys.argv[1:]))
