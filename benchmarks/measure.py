"""One measurement a process: `python -m benchmarks.measure NAME ARGUMENTS` prints its numbers as a line of JSON."""

from __future__ import annotations

import json
import sys
import warnings

warnings.filterwarnings("ignore")
import recbole_alibaba  # noqa: E402, F401  (makes RecBole importable)
from benchmarks.evaluating import evaluation  # noqa: E402
from benchmarks.preparing import fits, graph, loading, negatives  # noqa: E402
from benchmarks.steps import step, ways  # noqa: E402

MEASUREMENTS = {one.__name__: one for one in (step, ways, negatives, evaluation, graph, loading, fits)}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    sys.argv[1:] = []  # RecBole's Config reads them.
    print(json.dumps(MEASUREMENTS[name](*arguments)))
