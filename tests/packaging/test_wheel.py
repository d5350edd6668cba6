"""The wheel holds what it needs: its property files are found from any folder, its two packages import."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def built(source: Path, folder: Path, **variables: str) -> Path:
    """The wheel of *source*, built without the network."""
    plain = ["--no-deps", "--no-build-isolation", "--no-index"]
    command = [*PIP, "wheel", *plain, "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | variables)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was unpacked as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = built(ROOT, folder)
    target = folder / "site"
    subprocess.run([*PIP, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)], check=True)
    return target


def test_every_property_file_is_found_from_another_folder(installed: Path, tmp_path: Path) -> None:
    code = (
        "from recbole_alibaba.settings.property_files import properties_folder, read_mapping\n"
        "import recbole_alibaba\n"
        "print(recbole_alibaba.__file__)\n"
        "for file in sorted(properties_folder().rglob('*.yaml')): read_mapping(file); print(file)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    package, *files = done.stdout.split()
    assert Path(package).is_relative_to(installed)
    assert all(Path(file).is_relative_to(installed) for file in files)
    shipped = {file.relative_to(ROOT / "properties") for file in (ROOT / "properties").rglob("*.yaml")}
    assert {Path(file).relative_to(installed / "recbole_alibaba" / "properties") for file in files} == shipped


def test_the_wheel_holds_no_tests_and_no_data(installed: Path) -> None:
    (wheel,) = installed.parent.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"recbole_alibaba/py.typed", "dataset_prep/py.typed"} <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"recbole_alibaba", "dataset_prep"}


def test_property_lines_state_type_and_meaning() -> None:
    """Each line with a key carries `# (type) meaning`; an experiment's name and measures speak for themselves.

    Boards and ranges hold no settings with a meaning of their own.
    """
    plain = ("model:", "dataset:", "metrics:", "topk:", "valid_metric:")
    for file in (ROOT / "properties").rglob("*.yaml"):
        if file.parent.name == "board" or file.name == "ranges.yaml":
            continue
        keys = yaml.safe_load(file.read_text())
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert len(lines) >= len(keys)
        for line in lines:
            speaks = file.parent.name == "experiment" and line.startswith(plain)
            assert speaks or "# (" in line, f"{file.name}: {line}"


@pytest.mark.parametrize("compiler", ["cc", "false"])
def test_a_compiler_is_used_where_there_is_one(tmp_path: Path, compiler: str) -> None:
    """Without one the wheel is for any platform, and nothing that was compiled before is left in it."""
    if compiler == "cc" and not shutil.which("cc"):
        pytest.skip("no C compiler here")
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("dataset_prep", "recbole_alibaba", "properties"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.so"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    compiled = [f"dataset_prep/{name}.so" for name in ("pairs/_core", "reading/_fields", "writing/_text")]
    compiled.append("recbole_alibaba/evaluation/_top_k.so")
    for name in compiled:
        (copy / name).write_bytes(b"stale")
    wheel = built(copy, tmp_path, CC=compiler)
    libraries = sorted(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so"))
    assert libraries == (compiled if compiler == "cc" else [])
    assert wheel.name.endswith("-none-any.whl") == (compiler == "false")
    for name in libraries:
        assert zipfile.ZipFile(wheel).read(name) != b"stale"
