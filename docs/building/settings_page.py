"""What does every key of the property files mean? A page made from the files and their comments."""

import re
from html import escape
from pathlib import Path

KEY = re.compile(r"^(?P<indent> *)(?P<key>\w+): *(?P<value>.*?) *# \((?P<kind>[^)]+)\) ?(?P<meaning>.*)$")
HEAD = """# Property files, key by key

Made from the files in `properties/` when the site is built. A setting is changed in a file of your own
(`--config_files=my.yaml`) or on the command line (`--learning_rate=0.005`). Later layers win, in RecBole's order:
RecBole's files, these files, the data set's own YAML, your files, the command line. A dictionary changes only the keys
that it names. A key that no code reads is refused with the nearest name.
"""
BEGIN = ["", '<div class="keys" markdown>', "", "| key | value | type | meaning |", "|---|---|---|---|"]
END = ["", "</div>", ""]
FIRST = ("overall.yaml", "model/")


def settings_page(folder: Path) -> str:
    """The page in Markdown. A file with types is a table; any other is shown as it is."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml"))
    files.sort(key=lambda name: not name.startswith(FIRST))
    return "\n".join([HEAD, *(part for name in files for part in of_file(name, (folder / name).read_text("utf-8")))])


def of_file(name: str, text: str) -> list[str]:
    """The part of one file."""
    lines = text.splitlines()
    title = f"## `properties/{name}`\n"
    if not any(KEY.match(line) for line in lines):
        return [title, "```yaml", *lines, "```", ""]
    out, rows, parent = [title], False, ""
    for line in lines:
        if line.startswith("#"):
            comment = line.lstrip("# ")
            out += END if rows else []
            out += [comment] if len(comment.split()) > 3 else ["", f"### {comment} ({name})", ""]
            rows = False
        elif line.strip():
            found = KEY.match(line)
            if found is None:
                key, _, value = line.strip().partition(": ")
                row = (key.rstrip(":"), value, "", "")
            else:
                key = f"{parent}.{found['key']}" if found["indent"] else found["key"]
                parent = parent if found["indent"] else found["key"]
                row = (key, found["value"], found["kind"], found["meaning"])
            if not rows:
                out += BEGIN
                rows = True
            out.append(f"| {code(row[0])} | {code(row[1])} | {row[2]} | {cell(row[3])} |")
    return [*out, *(END if rows else [])]


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def cell(text: str) -> str:
    """Text in which `code` stays code, and nothing else is markup."""
    return escape(text, quote=False).replace("|", "&#124;")
