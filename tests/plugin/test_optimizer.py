"""The settings of the optimiser, and the learning rate over the epochs."""

import pytest
import torch

from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.trainer.optimizer import adamw, learning_rate


def after_two_steps(betas, eps=None) -> float:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = adamw([weight], 0.1, None, betas, eps)
    for gradient in (1.0, 0.01):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    return weight.item()


def test_a_shorter_memory_forgets_a_large_gradient_sooner():
    """By Adam's own formula: bias-corrected averages after gradients of 1 and 0.01."""
    for second in (0.999, 0.5):
        mean = (0.9 * 0.1 * 1 + 0.1 * 0.01) / (1 - 0.9**2)
        square = (second * (1 - second) * 1 + (1 - second) * 0.01**2) / (1 - second**2)
        assert after_two_steps([0.9, second]) == pytest.approx(-0.1 - 0.1 * mean / square**0.5, rel=1e-5)
    assert after_two_steps(None) == after_two_steps([0.9, 0.999]) == after_two_steps((0.9, "0.999"))


@pytest.mark.parametrize("betas", [0.9, [0.9], [0.9, 1.0], [-0.1, 0.9], ["a", 0.9], [0.9, 0.99, 0.999], [0.9, None]])
def test_what_is_not_two_betas(betas):
    with pytest.raises(BadSettingError, match=r"adam_betas: .* is not two numbers from 0 to below 1"):
        adamw([torch.nn.Parameter(torch.zeros(1))], 0.1, 0.0, betas)


def test_the_floor_shortens_the_steps_of_small_gradients():
    """By Adam's own formula; the default is torch's."""
    mean, square = (0.9 * 0.1 * 1 + 0.1 * 0.01) / (1 - 0.9**2), (0.999 * 0.001 + 0.001 * 0.01**2) / (1 - 0.999**2)
    for eps in (1.0, "1e-3"):
        steps = 1 / (1 + float(eps)) + mean / (square**0.5 + float(eps))
        assert after_two_steps(None, eps) == pytest.approx(-0.1 * steps, rel=1e-5)
    assert after_two_steps(None) == after_two_steps(None, 1e-8)


@pytest.mark.parametrize("eps", [0, -1e-8, "small", [1e-8], float("nan"), float("inf")])
def test_what_is_no_floor(eps):
    with pytest.raises(BadSettingError, match=r"adam_eps: .* is not a number above 0"):
        adamw([torch.nn.Parameter(torch.zeros(1))], 0.1, 0.0, eps=eps)


def test_constant_and_linear_learning_rates():
    assert [learning_rate(0.4, None, epoch, 4) for epoch in range(4)] == [0.4] * 4
    assert [learning_rate(0.4, "linear", epoch, 4) for epoch in range(4)] == pytest.approx([0.4, 0.3, 0.2, 0.1])
    with pytest.raises(BadSettingError, match=r"'lineal' is not one of constant, linear\."):
        learning_rate(0.4, "lineal", 0, 4)
