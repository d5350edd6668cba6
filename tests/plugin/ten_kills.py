"""Ten trainings, each killed at a random moment and resumed: are they the one that was never stopped?

python -m tests.plugin.ten_kills [--model=BPR] [--key=value ...]

Not collected by pytest, because its moments are random: the suite stops at chosen places instead.
"""

import os
import random
import sys
import tempfile
import time
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from recbole_alibaba.host.known_settings import parse_overrides
from tests.conftest import two_taste_rows, write_inter
from tests.plugin.test_resume import everything, train

KILLS = 10
SETTINGS = {"epochs": 30, "topk": [10], "valid_metric": "NDCG@10", "show_progress": False, "state": "WARNING"}
PROCESS = get_context("fork").Process  # libraries are loaded once


def main() -> None:
    """Train, kill, resume, compare; exit code 1 if one number differs."""
    settings = SETTINGS | {"model": "AlibabaLightGCN"} | parse_overrides(sys.argv[1:])
    os.chdir(tempfile.mkdtemp())
    write_inter(Path("data"), "two-tastes", two_taste_rows(users=300))

    def started(place: str, **more: Any) -> Any:
        process = PROCESS(target=train, args=(Path("data"),), kwargs={**settings, "checkpoint_dir": place, **more})
        process.start()
        return process

    started("whole").join()
    (folder,) = (file.parent for file in Path("whole").glob("*/config.yaml"))
    # A training begins when its folder is made.
    training = (folder / "state.pt").stat().st_mtime - (folder / "config.yaml").stat().st_mtime
    print(f"{settings['model']}: {training:.1f} s of training, {KILLS} kills", flush=True)
    said: dict[str, str] = {}
    for number in count():
        if len(said) == KILLS:
            break
        place, moment = f"killed-{number}", random.uniform(0, training)
        process = started(place)
        while not list(Path(place).glob("*/config.yaml")):
            time.sleep(0.001)
        time.sleep(moment)
        process.kill()
        process.join()
        if process.exitcode == 0:
            continue  # it was faster this time, and had ended
        (state,) = (file.with_name("state.pt") for file in Path(place).glob("*/config.yaml"))
        epochs = torch.load(state, weights_only=True)["epoch"] + 1 if state.exists() else 0
        said[place] = f"killed after {moment:.2f} s, {epochs} epochs kept"
        started(place, resume=True).join()
    # Nothing is left to train: this evaluates the best weights and reads what is on the disk.
    places = ["whole", *(f"killed-{kill}" for kill in range(KILLS))]
    whole, *others = (
        everything(train(Path("data"), **settings, checkpoint_dir=place, resume=True)) for place in places
    )
    for sentence, other in zip(said, others, strict=True):
        print(f"{sentence}: {'identical' if other == whole else 'DIFFERENT'}")
    sys.exit(any(other != whole for other in others))


if __name__ == "__main__":
    main()
