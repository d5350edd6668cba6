"""The learning rate over the epochs."""

import pytest

from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.trainer.schedule import learning_rate


def test_constant_and_linear() -> None:
    assert [learning_rate(0.4, None, epoch, 4) for epoch in range(4)] == [0.4] * 4
    assert [learning_rate(0.4, "linear", epoch, 4) for epoch in range(4)] == pytest.approx([0.4, 0.3, 0.2, 0.1])
    with pytest.raises(BadSettingError, match=r"'lineal' is none of constant, linear\."):
        learning_rate(0.4, "lineal", 0, 4)
