"""What does the site take from files outside docs/? Pages of the results, of the project, and of the property files.

mkdocs calls these functions (`hooks` in mkdocs.yml).
"""

import re
import sys
from pathlib import Path
from posixpath import dirname, normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from docs.building.settings_page import settings_page  # noqa: E402

SECTIONS = {
    "Measured": ("results/*.md", "benchmarks/*.md"),
    "Project": ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"),
}
SETTINGS = "settings.md"  # stands for the folder properties/
DRAFT = re.compile(r"\.head\.md$")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^):\s#]+)(#[^)\s]*)?\)")


def found(*patterns: str) -> list[str]:
    """The files, relative to the repository."""
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return [path.relative_to(ROOT).as_posix() for path in paths if not DRAFT.search(path.name)]


def on_config(config: Any) -> None:
    """The navigation gets the sections of pages outside docs/."""
    for title, patterns in SECTIONS.items():
        config.nav.insert(-1, {title: [{first_heading(path): path} for path in found(*patterns)]})


def first_heading(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8").partition("# ")[2].partition("\n")[0]


def on_files(files: Files, config: Any) -> None:
    """The pages themselves. Each keeps its place in the repository."""
    files.append(File.generated(config, SETTINGS, content=settings_page(ROOT / "properties")))
    for path in found(*(pattern for patterns in SECTIONS.values() for pattern in patterns)):
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Links are those of the repository: one to a page of the site leads there, any other is text."""
    here = page.file.src_uri
    inside = here == SETTINGS or not (ROOT / here).is_file()
    folder = dirname(f"docs/{here}" if inside else here)

    def link(match: re.Match[str]) -> str:
        text, target, anchor = match.groups()
        place = normpath(f"{folder}/{target}").removeprefix("docs/")
        place = SETTINGS if place == "properties" else place
        if files.get_file_from_path(place) is None:
            return f"`{target}`" if text == target else text
        return f"[{text}]({relpath(place, dirname(here) or '.')}{anchor or ''})"

    return LINK.sub(link, markdown)
