"""Where the shipped property files are, and how settings are read from YAML."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from recbole_alibaba.host.errors import ConfigFileError

PACKAGE = Path(__file__).parent.parent


class _Loader(yaml.SafeLoader):
    """YAML with numbers as people write them: `1e-5` is a float, `2014-12-18` stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def properties_folder() -> Path:
    """`properties/` inside the installed package, or beside the package in a clone or an editable install.

    Raises:
        FileNotFoundError: neither exists.
    """
    for folder in (PACKAGE / "properties", PACKAGE.parent / "properties"):
        if (folder / "overall.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"The property files are missing: there is no properties/overall.yaml in {PACKAGE} or beside it."
    )


def read_mapping(file: str | Path) -> dict[str, Any]:
    """The settings of a YAML file, {} for an empty file.

    Raises:
        ConfigFileError: the file does not exist, is not YAML, or is not a mapping of settings.
    """
    path = Path(file)
    if not path.is_file():
        shipped = properties_folder() / "experiment" / path.name
        hint = f" Did you mean '{shipped}'?" if shipped.is_file() else ""
        raise ConfigFileError(f"There is no property file '{file}'.{hint}")
    try:
        settings = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # a subclass of SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{file} is not YAML: {error}") from error
    if settings is None:
        return {}
    if not isinstance(settings, Mapping):
        raise ConfigFileError(f"{file} contains a {type(settings).__name__}; a property file needs lines `key: value`.")
    return dict(settings)


def parse_value(text: str) -> Any:
    """A value of the command line, read as YAML. `None`, `~` and `null` are None; what is not YAML stays text.

    Text without quotes stays as it is, also where YAML would fold a line feed or see a comment: it may be a path.
    """
    text = text.strip() if text.strip() else text
    if text == "None":
        return None
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return text
    if isinstance(value, str) and text[:1] not in ("'", '"'):
        return text
    return "" if value is None and text not in ("~", "null") else value
