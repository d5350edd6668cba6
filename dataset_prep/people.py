"""What IJCAI-15 knows of its users: age range and gender, for .user."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dataset_prep.engines.base import Engine
from dataset_prep.guards import InputError
from dataset_prep.inputs import BOM, find, look_over
from dataset_prep.remote import bring
from dataset_prep.scan import CANONICAL

COLUMNS = ("user_id", "age_range", "gender")
# The file's own words for "unknown", also where it leaves the field blank.
UNKNOWN_AGE, UNKNOWN_GENDER = "0", "2"


def upload_people(engine: Engine, path: str | Path, workdir: Path, integers: bool) -> list[str]:
    """Fill the table ``people`` from user_info_format1.csv; returns the file's digest. Raises InputError."""
    known: dict[str, tuple[str, str]] = {}
    digests = []
    files = bring(engine, find((str(path),), "--user-info"), workdir)
    for part in (part for file in files for part in look_over(file, workdir, frozenset(COLUMNS))):
        digests.append(part.digest)
        text = Path(part.path).read_bytes().removeprefix(BOM).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or (number == 1 and part.header):
                continue
            fields = [field.strip() for field in line.split(part.delimiter)]
            if len(fields) != 3 or not all(re.fullmatch(r"[0-9]*", f) for f in fields) or not fields[0]:
                raise InputError(
                    f"{part.name}, line {number:,}: {line[:60]!r} is not {','.join(COLUMNS)}, whole numbers."
                )
            known[fields[0]] = (fields[1] or UNKNOWN_AGE, fields[2] or UNKNOWN_GENDER)
    ids = [user for user in known if not integers or re.fullmatch(CANONICAL, user)]
    if not ids:
        raise InputError(f"--user-info: {path} lists no user")
    key = np.array([int(u) for u in ids], dtype=np.int64) if integers else np.array(ids, dtype=object)
    ages, genders = zip(*(known[user] for user in ids), strict=True)
    columns = {"user_id": key, "age_range": np.array(ages, dtype=object), "gender": np.array(genders, dtype=object)}
    engine.upload("people", columns)
    return digests
