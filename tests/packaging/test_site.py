"""The site is built without a warning and loads nothing from elsewhere; its figures are those of the records."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.building.draw import drawn
from docs.building.settings_page import settings_page

ROOT = Path(__file__).resolve().parent.parent.parent
# What a browser fetches by itself; a link is followed by the reader.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc="?(?:https?:)?//"""
    r"""|<link[^>]*rel="?(?!canonical)[^>]*\shref="?(?:https?:)?//|@import|url\("?(?:https?:)?//"""
)


def test_the_site(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(tmp_path).as_posix(): path.read_text("utf-8") for path in tmp_path.rglob("*.html")}
    assert {"index.html", "loss.html", "settings.html", "api.html", "results/doctor.html"} <= pages.keys()
    styles = [path.read_text("utf-8") for path in tmp_path.rglob("*.css")]
    assert [found for text in (*pages.values(), *styles) for found in LOADED.findall(text)] == []
    assert "dataset_prep.api.convert" in pages["api.html"]


def keys(settings: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in settings.items():
        yield f"{before}{key}"
        if isinstance(value, Mapping):
            yield from keys(value, f"{before}{key}.")


def test_every_key_of_a_typed_property_file_is_explained() -> None:
    page = settings_page(ROOT / "properties")
    for name in ("overall.yaml", "model/AlibabaLightGCN.yaml"):
        part = page.partition(f"## `properties/{name}`")[2].partition("\n## ")[0]
        rows = dict(re.findall(r"^\| `([\w.]+)` \| .* \| (.*) \|$", part, re.MULTILINE))
        content = yaml.safe_load((ROOT / "properties" / name).read_text("utf-8"))
        assert list(rows) == list(keys(content))
        assert all(len(unescape(meaning).split()) > 3 for meaning in rows.values())


def test_the_figures_are_those_of_the_records() -> None:
    for path, text in drawn().items():
        assert path.read_text("utf-8") == text, f"{path}: python -m docs.building.draw"
