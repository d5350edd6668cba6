"""The tested versions are those that pyproject.toml admits, for each Python; the smallest ones are its lower bounds."""

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def pins(file: str, python: str) -> dict[str, str]:
    """The version of each package in a file of constraints."""
    lines = [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    asked = [one for one in map(Requirement, lines) if applies(one, python)]
    found = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in asked}
    assert len(found) == len(asked), "a package has two versions"
    return found


def applies(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"python_version": python})


def required(*extras: str) -> list[Requirement]:
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in PROJECT["optional-dependencies"][extra])]
    return list(map(Requirement, texts))


@pytest.mark.parametrize("python", PYTHONS)
def test_tested_versions_are_admitted(python: str) -> None:
    tested = pins("constraints.txt", python)
    for requirement in required("dev", "index", "serve", "spark", "png", "bench"):
        if applies(requirement, python):
            assert requirement.specifier.contains(tested[canonicalize_name(requirement.name)]), requirement


def test_smallest_versions_are_the_lower_bounds() -> None:
    bounds = {
        canonicalize_name(one.name): bound.version
        for one in required("index", "serve", "spark")
        for bound in one.specifier
        if bound.operator == ">="
    }
    smallest = pins("constraints-smallest.txt", "3.10")
    assert {name: smallest.get(name) for name in bounds} == bounds
