"""Archives: a member's name decides nothing about places, and what unpacks without end is refused by its ratio."""

import bz2
import gzip
import zipfile
from pathlib import Path

import pytest
from evil_names import Command, files_of, one_sentence

from dataset_prep.files.streams import LARGEST_RATIO, LEAST_UNPACKED

HEADER = "user_id,item_id,behavior_type,user_geohash,item_category,time\n"
LOG = HEADER + "".join(f"{user},{item},4,,1,2014-12-01 00\n" for user in range(9) for item in range(9))
CONVERT = ("prep", "mobile", "--name=x", "--min-interactions=1", "--min-users=1", "--min-items=1", "--min-known=0")


@pytest.mark.parametrize(
    "member", ["../../hit.csv", "{above}/hit.csv", "a/../../hit.csv", "..\\hit.csv", "C:\\hit.csv"]
)
@pytest.mark.parametrize("reader", ["compiled", "careful"])
def test_a_member_is_read_and_written_nowhere(command: Command, alone: Path, member: str, reader: str) -> None:
    with zipfile.ZipFile("log.zip", "w") as archive:
        archive.writestr(member.format(above=alone.parent), LOG)  # an absolute name, too
    before = files_of(alone.parent)
    done = command(*CONVERT, "--log=log.zip", f"--reader={reader}")
    assert done.exit_code == 0, done.output
    new = set(files_of(alone.parent)) - set(before)
    assert new and all(name.startswith(f"{alone.name}/dataset") for name in new)


def test_a_bomb_is_refused_by_its_ratio(command: Command, alone: Path) -> None:
    """The same line again and again, a thousand times as long as the file. Two members of a zip count together."""
    piece = (HEADER + "1,2,4,,1,2014-12-01 00\n" * 700_000).encode()
    many = LEAST_UNPACKED // len(piece) + 2
    packed = bz2.compress(piece)
    assert len(packed) * LARGEST_RATIO < len(piece)
    Path("bomb.bz2").write_bytes(packed * many)
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(many):
            archive.writestr(f"{number}.csv", piece)
    before = files_of(alone)
    for file in ("bomb.bz2", "bomb.zip"):
        refused = command(*CONVERT, f"--log={file}")
        one_sentence(refused, 2, f"{file}: its ", f"more than {LARGEST_RATIO} times as many: this is no log")
    assert files_of(alone) == before


def test_a_large_ratio_of_a_small_log_is_none_of_these(command: Command, alone: Path) -> None:
    Path("log.gz").write_bytes(gzip.compress((LOG + "1,2,4,,1,2014-12-01 00\n" * 500_000).encode()))
    assert Path("log.gz").stat().st_size * LARGEST_RATIO < 500_000 * 23
    assert command(*CONVERT, "--log=log.gz").exit_code == 0


def test_a_line_without_an_end_is_refused(command: Command, alone: Path) -> None:
    Path("log.csv").write_bytes(HEADER.encode() + b"1" * (3 << 25))
    refused = command(*CONVERT, "--log=log.csv")
    one_sentence(refused, 2, "log.csv: cannot be read to its end (a line of more than")
    assert set(files_of(alone)) == {"log.csv"}
