"""Which changes cannot be seen, and why."""

import re
from fnmatch import fnmatch

# Pattern of files, what "now -> changed" must hold (a regular expression), why nothing can be seen.
EQUIVALENT = [
    ("*.py", r"strict=True.* -> (?!.*strict=True)", "both are as long by construction"),
    ("*.py", r"prefix=.* -> (?!.*prefix=)", "how a folder is called that is removed"),
    ("*.py", r"encoding=.* -> (?!.*encoding=)", "UTF-8 is the machine's own encoding, too"),
    ("dataset_prep/pairs/core.py", r"-> .*len\(pairs\[1\]\)", "users and items of the pairs are as many"),
    ("dataset_prep/pairs/core.c", r"prefetch|AHEAD", "a hint to the processor"),
    ("dataset_prep/files/streams.py", r"^FIRST =", "how many bytes are looked at"),
    ("dataset_prep/files/streams.py", r"-> .*LEAST_UNPACKED = 200, ", "how large a bomb may become"),
    ("dataset_prep/choices/heldout.py", r"where\(surely, 1\.0", "a row that is never held out weighs nothing"),
    ("dataset_prep/engines/sql.py", r"^MOST_ROWS =", "how much memory is used"),
    ("dataset_prep/*.py", r"spark_url=spark_url.* -> (?!.*spark_url=spark_url)", "only a cluster would notice"),
    ("dataset_prep/writing/text.c", r"value < 1 \?", "zero is its own negative"),
    ("*.py", r"set_to_none=True.* -> (?!.*set_to_none)", "the default"),
    ("recbole_alibaba/data/atomic/atomic_lines.py", r"max\(\) >= ord", "more text is decoded than must be"),
    ("dataset_prep/pairs/sorting.py", r"max\(initial=1\)", "far below the limit, too"),
    ("dataset_prep/reading/compiled.py", r"collect\(\) -> pass", "how many blocks wait"),
    ("dataset_prep/inspection.py", r"rows\[:21\]", "how many rows are looked at"),
    ("dataset_prep/engines/duckdb.py", r"max\(2, memory_of", "how much memory is used"),
    (
        "recbole_alibaba/diagnosis/checks/signal_check.py",
        r"rtol=2e-09",
        "rounding is far below, a difference far above",
    ),
    ("recbole_alibaba/diagnosis/checks/signal_check.py", r"-> .*diags\(2 /", "a cosine knows no length"),
    ("dataset_prep/pairs/funnel.py", r"-> .*self\.stages else 1", "without a stage nothing is divided"),
    ("recbole_alibaba/diagnosis/monitor/embedding_tables.py", r'"n_(users|items)", -2', "no table has such a length"),
    ("dataset_prep/pairs/sorting.py", r"code\.min\(\)\) < int", "the slower way gives the same"),
    ("recbole_alibaba/model/alibabalightgcn.py", r"numel\(\) > 2", "the slower way gives the same"),
    ("recbole_alibaba/data/sorting.py", r"len\(keys\) \+ 1", "a bit more than the positions need"),
    ("recbole_alibaba/data/user_lists.py", r"-> .*np\.append\(keys, -2", "no key is negative"),
    ("recbole_alibaba/model/sampled_softmax.py", r"F\.normalize.*dim=1.* -> (?!.*dim=)", "the default"),
    ("recbole_alibaba/evaluation/top_k.py", r"^BUFFER_BYTES =", "how much memory is used"),
    ("recbole_alibaba/trainer/trainer.py", r"total=.* -> (?!.*total=)", "a bar takes the length of its loader"),
    ("recbole_alibaba/recommending/ranking.py", r"-> .*slice\(start, max", "how much memory is used"),
    ("recbole_alibaba/host/checkpoints.py", r"map_location=.* -> (?!.*map_location)", "seen on a GPU only"),
    (
        "recbole_alibaba/diagnosis/checks/gradient_checks.py",
        r"-> .*before is not None or after",
        "a model has predict or not, both times",
    ),
    ("dataset_prep/pairs/core.py", r"-> .*codes\[1:\] > codes\[:-1\]", "the slower way gives the same"),
    ("dataset_prep/pairs/distinct.py", r"^ROWS_AT_ONCE", "how much memory is used"),
    ("dataset_prep/pairs/distinct.py", r"-> .*self\.unit >= 1:", "divided by 1"),
    ("dataset_prep/pairs/sorting.py", r"-> .*1 << 32", "far below the limit, too"),
    ("dataset_prep/writing/dataset.py", r"load\(\) -> pass", "it is loaded when it is needed"),
    ("recbole_alibaba/data/negatives.py", r"-> .*2\*\*41", "how finely shares are rounded"),
    ("recbole_alibaba/serving/a*.py", r"description=.* -> (?!.*description=)", "a text of the description at /docs"),
    ("recbole_alibaba/diagnosis/report/explanation.py", r"^COMMON", "an example; any value above the limit shows it"),
    (
        "recbole_alibaba/evaluation/top_k.c",
        r"BLOCK = 65|-> .*width - from <= BLOCK",
        "how many scores are compared at once",
    ),
]


def is_equivalent(file: str, shown: str) -> bool:
    return any(fnmatch(file, files) and re.search(text, shown) for files, text, _ in EQUIVALENT)
