"""Are equal models tied and a better one found, with the noise of users and of seeds?"""

import numpy as np
import pytest
from scipy import stats

from recbole_alibaba.board.standings.paired_tests import bootstrap_intervals, holm, t_p, wilcoxon_p
from recbole_alibaba.board.standings.range_test import range_p
from recbole_alibaba.board.standings.ranks import against_best, by_mean, differences_of_users, noise_of, ranks
from recbole_alibaba.board.standings.seed_noise import SeedNoise, seed_noise

BOARDS, MODELS, SEEDS, USERS = 200, 10, 3, 2000


def simulated(board: int, better: float = 0.0, seeds_sd: float = 0.05, fixed: int = 0) -> dict[str, np.ndarray]:
    """Recall of models of equal quality: two test items a user, most of them missed.

    Args:
        better: by which part the model m0 finds more.
        seeds_sd: of the part by which a seed finds more or less.
        fixed: models that do not depend on the seed.
    """
    rng = np.random.default_rng([board, fixed])
    users = np.exp(rng.normal(-3.0, 1.0, USERS))
    taste = np.exp(rng.normal(0.0, 0.5, (MODELS, 1, USERS)))
    seed = np.exp(rng.normal(0.0, seeds_sd, (MODELS, SEEDS, 1)))
    seed[MODELS - fixed :] = 1
    found = rng.binomial(
        2, np.minimum(users * taste * seed * (1 + better * (np.arange(MODELS) == 0))[:, None, None], 1)
    )
    found[MODELS - fixed :] = found[MODELS - fixed :, :1]
    return {f"m{model}": (scores / 2).astype(np.float32) for model, scores in enumerate(found)}


@pytest.mark.parametrize(("boards", "fixed"), [(BOARDS, 0), (BOARDS // 2, 5)], ids=["all-drawn", "five-without-seeds"])
def test_equal_models_are_called_different_on_at_most_five_percent_of_boards(boards: int, fixed: int) -> None:
    wrong = by_users_alone = 0
    for board in range(boards):
        scores = simulated(board, fixed=fixed)
        best, *others = by_mean(scores)
        wrong += min(against_best(scores, noise_of(scores)).values()) < 0.05
        by_users_alone += min(holm([t_p(differences_of_users(scores[one], scores[best])) for one in others])) < 0.05
    assert wrong <= 0.05 * boards
    # The same boards are hard: tests that do not know of seeds are wrong on most of them.
    assert by_users_alone > 0.3 * boards


def test_a_better_model_is_found_and_the_equal_ones_share_the_next_rank() -> None:
    expected = {f"m{model}": 1 if model == 0 else 2 for model in range(MODELS)}
    assert sum(ranks(simulated(board, better=0.5)) == expected for board in range(20)) >= 18


def test_ranks_of_a_board_done_by_hand() -> None:
    flat, better = np.zeros((1, 40)), np.ones((1, 40))
    near = better.copy()
    near[0, 0] = 0.0
    # b differs from a by one user of 40; c and d by all, and not from each other.
    assert ranks({"d": flat, "b": near, "c": flat, "a": better}) == {"a": 1, "b": 1, "c": 3, "d": 3}


def test_one_user_tells_no_models_apart() -> None:
    assert ranks({"a": np.ones((2, 1)), "b": np.zeros((2, 1))}) == {"a": 1, "b": 1}


def test_a_seed_better_for_all_users_is_no_better_model() -> None:
    """All users prefer a, but its seeds differ by as much."""
    users = np.linspace(0, 0.001, 500)
    seeds = np.array([[0.0], [0.1], [0.2]])
    scores = {"a": 0.5 + seeds + users, "b": 0.45 + seeds + users[::-1]}
    assert t_p(differences_of_users(scores["b"], scores["a"])) < 1e-6
    assert ranks(scores) == {"a": 1, "b": 1}


def test_seed_noise_is_the_larger_of_own_and_pooled() -> None:
    means = {"calm": [1.0, 2.0, 3.0], "wild": [0.0, 4.0, 8.0], "fixed": [5.0, 5.0], "one": [7.0]}
    noise = seed_noise({label: np.array(values) for label, values in means.items()})
    pooled = SeedNoise((1.0 + 16.0) / 2, 4)
    assert noise == {"calm": pooled, "wild": SeedNoise(16.0, 2), "fixed": SeedNoise(0.0, 4), "one": pooled}


@pytest.mark.parametrize(("t", "models", "freedom"), [(2.0, 10, 20.0), (14.0, 10, 2.0), (3.0, 3, 2.3), (0.0, 5, 3.0)])
def test_range_as_in_scipy(t: float, models: int, freedom: float) -> None:
    assert range_p(t, models, freedom) == pytest.approx(
        stats.studentized_range.sf(t * 2**0.5, models, freedom), abs=1e-9
    )


@pytest.mark.parametrize("freedom", [1.0, 7.5, 2000.0, float("inf")])
def test_range_of_two_models_is_the_t_test(freedom: float) -> None:
    assert range_p(2.2, 2, freedom) == pytest.approx(2 * stats.t.sf(2.2, freedom), abs=1e-9)


def test_holm_as_defined() -> None:
    p_values = [0.04, 0.001, 0.5, 0.012, 0.04, 0.9]

    def slow(place: int) -> float:
        """The largest of (n - j + 1) p_(j) over all j up to its own place in the order, at most 1."""
        order = sorted(p_values)
        upto = order.index(p_values[place]) + 1
        return max(min(1.0, (len(order) - j) * order[j]) for j in range(upto))

    assert holm(p_values) == pytest.approx([slow(place) for place in range(len(p_values))])


def test_users_who_do_not_differ() -> None:
    assert (t_p(np.zeros(9)), wilcoxon_p(np.zeros(9)), t_p(np.ones(9))) == (1.0, 1.0, 0.0)


def test_bootstrap_interval_is_the_normal_one_for_many_users() -> None:
    differences = np.random.default_rng(3).normal(0.1, 1.0, (2, 4000))
    middle, error = differences.mean(axis=1), differences.std(axis=1) / 4000**0.5
    expected = np.stack([middle - 1.96 * error, middle + 1.96 * error], axis=1)
    assert bootstrap_intervals(differences) == pytest.approx(expected, abs=0.15 * error.max() * 1.96)
