"""--config takes the options under `prep:` of a property file; the command line counts more."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from dataset_prep.__main__ import main


@pytest.fixture
def log(sample: tuple[Path, Path]) -> Path:
    return sample[0]


def mobile(log: Path, file: Path, output: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        main, ["mobile", "--users", str(log), "--output", str(output), "--name", "x", "--config", str(file), *words]
    )
    return result.exit_code, result.output


def test_the_file_gives_defaults_and_the_command_line_counts_more(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("prep: {behaviors: '4', min-user: 5, min_item: 5, strict: True}\nlearning_rate: 0.1\n")
    code, said = mobile(log, file, tmp_path / "a")
    assert (code, "EmptyDatasetError" in said) == (2, True)
    assert mobile(log, file, tmp_path / "b", "--behaviors", "1,2,3,4")[0] == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("learning_rate: 0.1\n", "has no mapping 'prep:'"),
        ("prep: {behaviours: '4'}\n", "Did you mean 'behaviors'"),
        ("prep: [\n", "is no YAML"),
        ("prep: {min_user: many}\n", "many"),
    ],
)
def test_bad_files_get_a_sentence(log: Path, tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    code, said = mobile(log, file, tmp_path / "out")
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "out" / "x").exists()


def test_absent_file(log: Path, tmp_path: Path) -> None:
    code, said = mobile(log, tmp_path / "absent.yaml", tmp_path / "out")
    assert (code, "cannot be read" in said) == (2, True)


@pytest.mark.parametrize("name", ["before", "after"])
def test_the_shipped_experiments_can_be_asked_for(log: Path, tmp_path: Path, name: str) -> None:
    file = Path(__file__).resolve().parent.parent.parent / "properties" / "experiment" / f"{name}.yaml"
    assert mobile(log, file, tmp_path / "out")[0] == {"before": 2, "after": 0}[name]
