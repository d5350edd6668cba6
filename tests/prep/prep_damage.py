"""Seeded small logs, and damage to their bytes."""

from __future__ import annotations

import gzip
import io
import random
import zipfile

from prep_data import HEADER

ODD = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b'"', b",", b"\t", b"\n", b"\r", b"\r\n", b" ", b"-", b"e9", b"NaN", b"'", b"\\",
    b"\x1a", "零".encode(), b"9" * 23, b"2014-02-30 25", b"1970-01-01 00", b",,,,,", b"\n\n\n", b"=1+1", b";",
]  # fmt: skip
REPLACED = [(b",", b"\t"), (b"\n", b"\r"), (b",", b";"), (b"2014", b"14"), (b"1", b"01")]


def mobile(rng: random.Random) -> bytes:
    rows = [
        f"{rng.randrange(1, 12)},{rng.randrange(1, 15)},{rng.randrange(1, 5)},{rng.choice(['', '97lk14c'])},"
        f"{rng.randrange(1, 4)},2014-{rng.randrange(11, 13)}-{rng.randrange(18, 29)} {rng.randrange(24):02d}"
        for _ in range(rng.randrange(1, 60))
    ]
    header = [HEADER] * rng.randrange(2)
    return (rng.choice(["\n", "\r\n"]).join(header + rows) + rng.choice(["", "\n"])).encode()


def userbehavior(rng: random.Random) -> bytes:
    kinds = ["pv", "fav", "cart", "buy"]
    rows = [
        f"{rng.randrange(1, 12)},{rng.randrange(1, 15)},7,{rng.choice(kinds)},{1511539200 + rng.randrange(800_000)}"
        for _ in range(rng.randrange(1, 60))
    ]
    return ("\r\n".join(rows) + "\r\n").encode()


def lists(rng: random.Random) -> bytes:
    return "".join(f"{u} {' '.join(str(rng.randrange(30)) for _ in range(5))}\n" for u in range(12)).encode()


def mutated(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice([0, 1, 1, 2, 3, 8, 30])):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice(ODD)
        elif kind == 2:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 200)]
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            data[at : at + 1] = rng.choice(ODD)
        else:
            data = data.replace(*rng.choice(REPLACED))
    return bytes(data)


def wrapped(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """(file name, content), at times packed and damaged again."""
    kind = rng.choice(["csv"] * 8 + ["csv.gz", "zip"])
    if kind == "csv.gz":
        content = gzip.compress(content, mtime=0)
    elif kind == "zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("log.csv", content)
        content = held.getvalue()
    if kind != "csv" and rng.random() < 0.5:
        content = mutated(rng, content)
    return f"log.{kind}", content
