"""The table of Pythons says what pytest's reports say."""

from pathlib import Path

import pytest

from tests import matrix


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Four tests: two passed, one failed, one skipped."""
    file = tmp_path / "tests.xml"
    cases = ("<failure/>", "<skipped/>", "", "")
    lines = "".join(f'<testcase classname="tests.x" name="test_{n}">{case}</testcase>' for n, case in enumerate(cases))
    file.write_text(
        f'<testsuites><testsuite errors="0" failures="1" skipped="1" tests="4">{lines}</testsuite></testsuites>'
    )
    return file


def test_a_row_for_each_run_and_for_each_python_without_one(report: Path) -> None:
    counts = matrix.counted(report)
    assert counts == {"passed": 2, "failed": 1, "skipped": 1, "names": ["tests.x.test_0"]}
    run = {"python": "3.12.1", "versions": "tested", "date": "2026-11-26", "minutes": 20} | counts
    lines = matrix.page([run | dict.fromkeys(matrix.PACKAGES, "1.0")]).splitlines()
    assert "| 3.12.1 | tested | 1.0 | 1.0 | 1.0 | 1.0 | 1.0 | 2 | 1 | 1 | 20 | 2026-11-26 |" in lines
    assert [line.split("|")[1].strip() for line in lines if "not run" in line] == ["3.10", "3.11", "3.13", "3.14"]
    assert "- `tests.x.test_0`" in lines


def test_what_failed_is_run_again_and_said_so(report: Path) -> None:
    before = {"python": "3.12.1", "versions": "tested", "date": "2026-11-26", "minutes": 20, "passed": 90, "failed": 3}
    before |= {"skipped": 7, "names": ["a", "b", "c"]} | dict.fromkeys(matrix.PACKAGES, "1.0")
    both = matrix.together(before, before | matrix.counted(report) | {"minutes": 1})
    assert {name: both[name] for name in ("passed", "failed", "skipped", "minutes")} == {
        "passed": 92, "failed": 1, "skipped": 7, "minutes": 21,
    }  # fmt: skip
    assert "Tests run again on 3.12.1 after they had failed: 3." in matrix.page([both])
    with pytest.raises(SystemExit, match="3 tests were run again, and 4 had failed"):
        matrix.together(before | {"failed": 4}, before | matrix.counted(report))
