"""The raw files as found in the wild: every wrapping of the same rows gives the same data set."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prep_data import ANY, HEADER, files

from dataset_prep import InputError, convert
from dataset_prep.files.streams import ROOM, blocks, find

ROWS = [
    "10001082,285259775,1,97lk14c,4076,2014-12-08 18",
    "10001082,4368907,4,,5503,2014-12-12 12",
    "98047837,285259775,3,9.9019999999999996E+37,4076,2014-11-18 00",
    "98047837,53616768,2,,9762,2014-12-18 23",
    "98047837,53616768,2,,9762,2014-12-18 23",
]
# 2014-11-18 00:00 in Beijing is 1416240000.
EXPECTED = (
    "user_id:token\titem_id:token\ttimestamp:float\tbehavior_type:token\n"
    "10001082\t285259775\t1418032800\t1\n"
    "10001082\t4368907\t1418356800\t4\n"
    "98047837\t285259775\t1416240000\t3\n"
    "98047837\t53616768\t1418914800\t2\n"
)


def inter(users: Path | Sequence[Path] | str, output: Path, **options: Any) -> str:
    result = convert("mobile", users, output=output, name="x", **(ANY | {"behaviors": "1,2,3,4"} | options))
    return (result.path / "x.inter").read_text()


FORMS: dict[str, bytes] = {
    "plain": ("\n".join([HEADER, *ROWS]) + "\n").encode(),
    "no header": ("\n".join(ROWS) + "\n").encode(),
    "no last line end": "\n".join([HEADER, *ROWS]).encode(),
    "CRLF": ("\r\n".join([HEADER, *ROWS]) + "\r\n").encode(),
    "mixed line ends": (HEADER + "\r\n" + "\n".join(ROWS) + "\r\n").encode(),
    "tabs": ("\n".join([HEADER, *ROWS]) + "\n").replace(",", "\t").encode(),
    "byte order mark": b"\xef\xbb\xbf" + ("\n".join([HEADER, *ROWS]) + "\n").encode(),
    "byte order mark, no header": b"\xef\xbb\xbf" + ("\n".join(ROWS) + "\n").encode(),
    "quotes": "\n".join('"' + line.replace(",", '","') + '"' for line in [HEADER, *ROWS]).encode(),
    "blank lines": ("\n".join([HEADER, *ROWS[:2], "", " ", *ROWS[2:]]) + "\n\n").encode(),
    "upper case header": ("\n".join([HEADER.upper(), *ROWS]) + "\n").encode(),
}


@pytest.mark.parametrize("reader", ["auto", "engine", "careful"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(form: str, reader: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes(FORMS[form])
    assert inter(tmp_path / "log.txt", tmp_path / "out", reader=reader) == EXPECTED
    assert not (tmp_path / "out" / "x" / "rejects.csv").exists()


@pytest.mark.parametrize("reader", ["compiled", "engine"])
@pytest.mark.parametrize("form", ["plain", "mixed line ends", "byte order mark"])
def test_every_packing_gives_the_same_rows(form: str, reader: str, tmp_path: Path) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(FORMS[form]))
    assert inter(tmp_path / "log.gz", tmp_path / "gz", reader=reader) == EXPECTED
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.writestr("inner/b.csv", "\r\n".join(ROWS[3:]))
        archive.writestr("inner/a.csv", "\n".join(ROWS[:3]))
        archive.writestr("empty.csv", "")
        archive.writestr("__MACOSX/._log.csv", b"\0\1\2")
        archive.writestr("folder/", b"")
    assert inter(tmp_path / "log.zip", tmp_path / "zip", reader=reader) == EXPECTED
    record = json.loads((tmp_path / "zip" / "x" / "funnel.json").read_text())
    assert [file["name"] for file in record["files"]] == ["log.zip/inner/a.csv", "log.zip/inner/b.csv"]


@pytest.mark.parametrize("reader", ["compiled", "engine", "careful"])
def test_parts_of_which_one_has_the_header(reader: str, tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text("\n".join([HEADER, *ROWS[:2]]) + "\n")
    (tmp_path / "part-2.csv").write_text("\r\n".join(ROWS[2:4]) + "\r\n")
    (tmp_path / "part-3.csv.gz").write_bytes(gzip.compress(ROWS[4].replace(",", "\t").encode()))
    assert inter(str(tmp_path / "part-*.csv*"), tmp_path / "out", reader=reader) == EXPECTED
    listed = [tmp_path / "part-1.csv", tmp_path / "part-2.csv", tmp_path / "part-3.csv.gz"]
    assert inter(listed, tmp_path / "listed", reader=reader) == EXPECTED
    assert files(tmp_path / "out" / "x") == files(tmp_path / "listed" / "x")
    # A file that two patterns match is read once.
    twice = [str(listed[0]), str(tmp_path / "part-*.csv*")]
    assert files(convert("mobile", twice, output=tmp_path / "2", name="x", behaviors="1,2,3,4", **ANY).path) == files(
        tmp_path / "out" / "x"
    )


def test_the_fingerprint_is_of_contents_in_their_order(tmp_path: Path) -> None:
    one, two, copy = (tmp_path / f"{name}.csv" for name in ("one", "two", "copy"))
    one.write_text("\n".join(ROWS[:2]) + "\n")
    two.write_text("\n".join(ROWS[2:]) + "\n")
    copy.write_text("\n".join(ROWS[:2]) + "\n")

    def fingerprint(*users: Path, **options: Any) -> str:
        made = convert("mobile", users, output=tmp_path / "out", name="x", force=True, **(ANY | options))
        return made.fingerprint

    first = fingerprint(one, two)
    assert first == fingerprint(copy, two) == fingerprint(one, two, reader="careful", max_bad=0.5, quiet=False)
    # The order of the files counts, too.
    others = [fingerprint(two, one), fingerprint(one), fingerprint(one, two, behaviors="4")]
    one.write_text("\n".join(ROWS[:2]))
    others.append(fingerprint(one, two))
    assert len({first, *others}) == 5


@given(st.binary(max_size=60) | st.text("a,\n\r", max_size=60).map(str.encode), st.integers(1, 20), st.booleans())
def test_blocks_are_whole_lines_of_the_file(content: bytes, size: int, marked: bool) -> None:
    whole = b"\xef\xbb\xbf" * marked + content
    found = list(blocks(io.BytesIO(whole), max(size, 3)))
    assert b"".join(block.raw for block in found) == whole
    text = whole.removeprefix(b"\xef\xbb\xbf")
    lines = b"".join(block.lines for block in found)
    assert lines == text + b"\n" * (text != b"" and not text.endswith(b"\n"))
    for block in found:
        assert block.size == 0 or block.lines.endswith(b"\n")
        assert block.text[block.size :] == bytes(ROOM)
        assert len(block.raw) <= max(size, 3)


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    said = []
    for reader in ("auto", "engine", "careful"):
        with pytest.raises(InputError) as caught:
            inter(path, path.parent / "out", reader=reader)
        assert not (path.parent / "out").exists()
        said.append(str(caught.value))
    assert len(set(said)) == 1
    return said[0]


def test_folders_of_the_output_are_made(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("\n".join(ROWS))
    assert inter(tmp_path / "log.csv", tmp_path / "a" / "b").count("\n") > 1


def test_files_that_are_no_log(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path / "log.csv", b"")
    assert "no rows" in refused(tmp_path / "log.csv", (HEADER + "\n").encode())
    assert "none of the 2 rows" in refused(tmp_path / "log.csv", b"hello\nworld\n")
    assert "none of the" in refused(tmp_path / "log.csv", bytes(range(256)) * 10)
    assert "cannot be read to its end" in refused(tmp_path / "log.csv.gz", gzip.compress(b"x" * 10_000)[:-20])
    assert "cannot be read to its end" in refused(tmp_path / "log.zip", b"PK\x03\x04 no archive")


def zipped(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        archive.writestr("log.csv", "\n".join([HEADER, *ROWS]))
    return held.getvalue()


def test_damaged_archives(tmp_path: Path) -> None:
    """A name cut to nothing does no harm; a changed byte of an LZMA stream does."""
    (tmp_path / "log.zip").write_bytes(zipped().replace(b"log.csv", b"\0og.csv"))
    assert inter(tmp_path / "log.zip", tmp_path / "nameless") == EXPECTED
    broken = bytearray(zipped(zipfile.ZIP_LZMA))
    broken[broken.index(b"log.csv") + 60] ^= 0x55
    assert "log.zip" in refused(tmp_path / "log.zip", bytes(broken))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "user.csv").write_text("x")
    with pytest.raises(InputError, match=r"no file .*users\.csv\. Beside it: user\.csv"):
        inter(tmp_path / "users.csv", tmp_path / "out")
    with pytest.raises(InputError, match="no file matches"):
        inter(str(tmp_path / "nothing-*.csv"), tmp_path / "out")
    with pytest.raises(InputError, match="is a folder"):
        inter(tmp_path, tmp_path / "out")
    for name in ("b/2.csv", "a/1.csv", "a/c/3.csv", "a/d.csv/4.txt"):
        (tmp_path / "parts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "parts" / name).touch()
    every = find([str(tmp_path / "parts" / "**" / "*.csv"), str(tmp_path / "parts" / "a" / "1.csv")], "--log")
    assert [str(Path(one).relative_to(tmp_path / "parts")) for one in every] == ["a/1.csv", "a/c/3.csv", "b/2.csv"]
    with pytest.raises(InputError, match=r"there is no file .*absent/users\.csv\.$"):
        inter(tmp_path / "absent" / "users.csv", tmp_path / "out")
