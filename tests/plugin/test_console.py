"""The sentences and commands that the terminal shows, part by part."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recbole_alibaba import build_config
from recbole_alibaba.console import logs
from recbole_alibaba.console.endings import one_sentence
from recbole_alibaba.console.epoch_lines import one_line_an_epoch
from recbole_alibaba.console.interruption import says_what_is_kept, what_is_kept
from recbole_alibaba.console.next_steps import next_steps, training_command
from recbole_alibaba.console.unexplained import settings_named
from recbole_alibaba.host.errors import BadInput, BadSettingError, DeadProcessError, Interrupted, NotFiniteLossError

Started = Callable[..., None]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["run.py", "--dataset=x", "--epochs", "3"], ["python", "run.py", "--dataset=x"]),
        (["/there/run.py", "--epochs=3", "--seed=1"], ["python", "/there/run.py", "--seed=1"]),
        (["/bin/recbole-alibaba", "run", "--nproc", "2", "--x=1"], ["recbole-alibaba", "run", "--x=1"]),
        (["recbole-alibaba", "run", "--epochs", "--x"], ["recbole-alibaba", "run", "--x"]),
        (["recbole-alibaba", "run", "--epochs=3", "more"], ["recbole-alibaba", "run", "more"]),
        (["recbole-alibaba", "demo"], None),
        (["pytest", "run"], None),
    ],
)
def test_the_command_of_a_training_without_some_options(
    started_as: Started, words: list[str], command: list[str] | None
) -> None:
    started_as(*words, executable="/nowhere/python")
    assert training_command("--epochs") == command


def test_what_can_be_done_after_a_training(started_as: Started) -> None:
    started_as("recbole-alibaba", "run", "--dataset=x", "--resume", executable="/nowhere/python")
    steps = next_steps("saved/one", "saved/one.pth", True, "general", 5)
    assert steps == (
        "Recommend from it: recbole-alibaba recommend saved/one",
        "Go on with it:     recbole-alibaba run --dataset=x --resume=saved/one --epochs=10",
    )
    recommend, _ = next_steps("saved/one", "saved/one.pth", False, "general", 5)
    assert recommend == "Recommend from it: recbole-alibaba recommend saved/one.pth --trust"
    recommend, _ = next_steps("saved/one", "saved/one.pth", False, "sequential", 5)
    assert recommend == "Recommend from it: not for a sequential model; only general ones can be recommended from."
    started_as("notebook")
    _, again = next_steps("saved/one", "saved/one.pth", True, "general", 5)
    assert again == 'Go on with it:     recbole_alibaba.run(..., {..., "epochs": 10}, resume="saved/one")'


def test_what_ctrl_c_leaves(tmp_path: Path) -> None:
    file = tmp_path / "x.pth"
    trainer = SimpleNamespace(train_loss_dict={0: 1.0}, saved_model_file=str(file))
    nothing = "Stopped after 1 finished epoch. No weights were saved yet."
    assert what_is_kept(trainer, True) == nothing
    file.touch()
    assert what_is_kept(trainer, False) == nothing  # the file is of another training
    trainer.train_loss_dict = dict.fromkeys(range(1_200), 1.0)
    sentence = f"Stopped after 1,200 finished epochs. Kept: {file} with the weights of the best validated epoch."
    assert what_is_kept(trainer, True) == sentence
    with pytest.raises(Interrupted) as caught, says_what_is_kept(trainer, True):
        raise KeyboardInterrupt
    assert str(caught.value) == sentence
    with pytest.raises(Interrupted, match="of its own"), says_what_is_kept(trainer, True):
        raise Interrupted("of its own")


@pytest.fixture
def shown() -> Iterator[list[str]]:
    """What the root logger lets through at INFO."""
    root, lines = logging.getLogger(), list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def trainer(eval_step: int) -> Any:
    config = {"valid_metric": "NDCG@10", "metric_decimal_place": None}
    return SimpleNamespace(eval_step=eval_step, config=config, cur_step=1)


def test_five_records_are_one_line(shown: list[str]) -> None:
    log = logging.getLogger().info
    with one_line_an_epoch(trainer(2), True):
        log("epoch 0 training [time: 1s]")
        log("a warning")
        log("Saving current: x.pth")
        log("epoch 1 training [time: 1s]")
        log("held back until the line is whole")
        log("epoch 1 evaluating [time: 0s, valid_score: 0.125000]")
        log("valid result: \nndcg@10: 0.125")
        log("Saving current: x.pth")
        log("at once")
    assert shown == [
        "epoch 0 training [time: 1s]",
        "a warning",
        "epoch 1 training [time: 1s] \x1b[1;32mvalid\x1b[0m ndcg@10: 0.1250",
        "held back until the line is whole",
        "at once",
    ]


@pytest.mark.parametrize("after", ["nothing", "an epoch"])
def test_a_line_whose_validation_never_comes_is_shown(shown: list[str], after: str) -> None:
    with one_line_an_epoch(trainer(1), True):
        logging.getLogger().info("epoch 0 training [time: 1s]")
        assert not shown
        if after == "an epoch":
            logging.getLogger().info("epoch 1 training [time: 1s]")
            assert shown == ["epoch 0 training [time: 1s]"]
    assert shown == [f"epoch {n} training [time: 1s]" for n in range(1 + (after == "an epoch"))]


def test_without_validation_each_line_is_shown_at_once(shown: list[str]) -> None:
    with one_line_an_epoch(trainer(1), False):
        logging.getLogger().info("epoch 0 training [time: 1s]")
        assert shown == ["epoch 0 training [time: 1s]"]


def failing(error: Exception, given: dict[str, Any], files: tuple[str, ...] = ()) -> str:
    with pytest.raises(Exception) as caught, settings_named(given, files):
        raise error
    return f"{type(caught.value).__name__}: {caught.value}"


def test_an_unforeseen_error_names_the_settings_that_it_is_about() -> None:
    given = {"embedding_size": 7, "n_layers": 2, "aggregator": ["sum", "mean"], "nested": {"inner": "words"}}
    cases = {
        "no n_layers here": "--n_layers=2,",
        "bad mean": "--aggregator=",
        "words are bad": "--nested=",
        "something": "--embedding_size=7 and ",  # no name occurs: all that were given
        "xn_layersx": "--embedding_size=7 and ",  # a part of a word is no name
    }
    for message, named in cases.items():
        said = failing(RuntimeError(message), given)
        assert said.startswith("BadSettingError: This run stopped in test_console.py with RuntimeError: ")
        assert f"take away {named}" in said, said
    assert "and those of mine.yaml" in failing(RuntimeError("no n_layers"), given, ("mine.yaml",))
    (kept, *_) = Path("log").iterdir()
    assert "RuntimeError" in kept.read_text()


def test_a_word_of_a_value_is_looked_for_in_the_message() -> None:
    given = {"first": "zq", "second": ["y"], "third": "other"}
    assert "take away --first=zq," in failing(RuntimeError("bad zq"), given)
    assert "take away --first=zq and --second=" in failing(RuntimeError("bad y"), given)  # one letter says nothing


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BadInput("No such file."), 2, "Error: No such file."),
        (NotFiniteLossError("It is NaN."), 1, "Error: It is NaN."),
        (DeadProcessError("One died."), 1, "Error: One died."),
        (OSError(28, "No space left on device"), 2, "Error: "),
        (KeyboardInterrupt(), 130, "stopped"),
        (KeyboardInterrupt("of its own"), 130, "of its own"),
    ],
)
def test_a_command_ends_with_one_sentence(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, one_sentence("stopped"):
        raise error
    assert ended.value.code == code and capsys.readouterr().err.startswith(said)


def test_an_error_of_ours_keeps_its_traceback() -> None:
    for error in (OSError("of another kind"), RuntimeError("ours")):
        with pytest.raises(type(error)), one_sentence("stopped"):
            raise error


def test_each_run_has_handlers_of_its_own(two_tastes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    config = build_config("BPR", "two-tastes", config_dict={"data_path": str(two_tastes)})
    for _ in range(2):
        logs.start(config)
        assert len(root.handlers) == len(before) + 3  # the run's file, stderr, stdout
        logging.getLogger().info("a line")
        logs.result("the result")
    captured = capsys.readouterr()
    assert captured.err.count("a line") == 2 and captured.out.split("\n") == ["the result", "the result", ""]
    logs.stop()
    assert root.handlers == before
    assert sum(file.read_text().count("a line") for file in Path("log").rglob("*.log")) == 2


def test_errors_that_are_explained_already_pass() -> None:
    assert failing(BadInput("as it is"), {"a": 1}) == "BadInput: as it is"
    assert failing(NotFiniteLossError("nan"), {"a": 1}).startswith("NotFiniteLossError")
    assert failing(RuntimeError("x"), {}) == "RuntimeError: x"  # nothing was set: not a matter of settings
    assert failing(RuntimeError("x"), {}, ("mine.yaml",)).startswith(BadSettingError.__name__)
    assert failing(OSError(28, "No space left on device"), {"a": 1}).startswith("OSError")
