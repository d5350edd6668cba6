"""The fast stable sort against numpy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_alibaba.data.sorting import stable_argsort


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62), max_size=30), st.booleans())
@settings(deadline=None)
def test_integers_are_sorted_as_numpy_sorts_them(keys: list[int], wide: bool) -> None:
    array = np.array(keys, np.int64) if wide else np.array([key % 7 for key in keys], np.int32)
    assert stable_argsort(array).tolist() == np.argsort(array, kind="stable").tolist()


@given(st.lists(st.floats(width=32) | st.sampled_from([0.0, -0.0, 1.5, -1.5]), max_size=30))
@settings(deadline=None)
def test_floats_are_sorted_as_numpy_sorts_them(keys: list[float]) -> None:
    array = np.array(keys, np.float32)
    assert stable_argsort(array).tolist() == np.argsort(array, kind="stable").tolist()
