"""Which setting is tried next? Optuna's TPE says so, from the finished trials alone: not from time or state."""

import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recbole_alibaba.board.searching.ranges import Choice, Range, canonical
from recbole_alibaba.board.searching.spaces import Space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

RANDOM_TRIALS = 4  # before TPE has something to learn from; Optuna's own 10 would leave a budget of 8 to chance
REPEATS = 20  # how often Optuna is asked for a setting that was not tried, before one is drawn


def proposal(
    space: Space, finished: Sequence[tuple[Mapping[str, Any], float | None]], bigger: bool, seed: int
) -> dict[str, Any]:
    """The setting of trial `len(finished)`; the same for the same arguments, in any process.

    The first trial is the model's default setting, as far as it lies in the space. A space with a size has no setting
    tried twice.

    Args:
        finished: settings and validation score of the trials before this one, in the order of their index; a score of
            None is a trial that failed, and TPE keeps away from it.
        bigger: whether a higher score is better.

    Raises:
        ValueError: every setting of the space was tried.
    """
    tried = {canonical(settings) for settings, _ in finished}
    if space.size is not None and len(tried) >= space.size:
        raise ValueError(f"All {space.size} settings of the space were tried.")
    with _silent():
        study = _study(space, finished, bigger, seed)
        if not finished:
            study.enqueue_trial(dict(_suggested(space, dict(space.start))))
        for _ in range(REPEATS):
            setting = _asked(study, space)
            if space.size is None or canonical(setting) not in tried:
                return setting
    return _untried(space, tried, seed)


def _study(
    space: Space, finished: Sequence[tuple[Mapping[str, Any], float | None]], bigger: bool, seed: int
) -> "Study":
    import optuna

    sampler = optuna.samplers.TPESampler(
        n_startup_trials=RANDOM_TRIALS,
        seed=_seed(space, len(finished), seed),
    )
    study = optuna.create_study(direction="maximize" if bigger else "minimize", sampler=sampler)
    for settings, score in finished:
        known = score is not None and math.isfinite(score)
        study.add_trial(
            optuna.trial.create_trial(
                params=dict(_suggested(space, settings)),
                distributions={name: _distribution(values) for name, values in space.ranges},
                value=score if known else None,
                # A pruned trial counts as worse than any other; a failed one would be forgotten.
                state=optuna.trial.TrialState.COMPLETE if known else optuna.trial.TrialState.PRUNED,
            )
        )
    return study


def _seed(space: Space, index: int, seed: int) -> int:
    """Another one for each trial: with one seed for all, the random trials would be one setting."""
    digest = hashlib.sha256(f"{space.as_json()} {seed} {index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _distribution(values: Choice | Range) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, Choice):  # by its place, since Optuna's values cannot be lists
        return CategoricalDistribution(range(values.count))
    if values.whole:
        return IntDistribution(int(values.low), int(values.high), log=values.log, step=int(values.step or 1))
    return FloatDistribution(values.low, values.high, log=values.log, step=values.step)


def _suggested(space: Space, settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings as Optuna knows them."""
    for name, values in space.ranges:
        if name in settings:
            yield name, values.index(settings[name]) if isinstance(values, Choice) else settings[name]


def _asked(study: "Study", space: Space) -> dict[str, Any]:
    params = study.ask({name: _distribution(values) for name, values in space.ranges}).params
    return {
        name: values.values[params[name]] if isinstance(values, Choice) else params[name]
        for name, values in space.ranges
    }


def _untried(space: Space, tried: set[str], seed: int) -> dict[str, Any]:
    left = [setting for setting in space.grid() if canonical(setting) not in tried]
    return random.Random(_seed(space, len(tried), seed)).choice(left)


@contextmanager
def _silent() -> Iterator[None]:
    """Without Optuna's lines about each study."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
