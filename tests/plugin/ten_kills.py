"""Ten trainings on ml-100k, each killed at a random moment and resumed: are they the one that was never stopped?

python -m tests.plugin.ten_kills [--model BPR] [--key=value ...]

Not collected by pytest: it takes minutes, and its moments are random. The suite stops at chosen places instead.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from recbole_alibaba import run
from recbole_alibaba.cli import parse_overrides
from tests.plugin.test_resume import ROOT, everything

KILLS = 10
SETTINGS = {"epochs": 15, "eval_step": 1, "preflight": False, "show_progress": False, "state": "WARNING"}


def main() -> None:
    """Train, kill, resume, compare; exit code 1 if one number differs."""
    asked = parse_overrides(sys.argv[1:])
    model, settings = asked.pop("model", "AlibabaLightGCN"), SETTINGS | asked
    words = [sys.executable, ROOT / "run.py", "--dataset=ml-100k", f"--model={model}"]
    words += [f"--{key}={value}" for key, value in settings.items()]
    os.chdir(tempfile.mkdtemp())
    started = time.perf_counter()
    subprocess.run([*words, "--checkpoint_dir=whole"], check=True)
    (folder,) = Path("whole").glob("*/")
    # A training begins when its folder is made; the rest of the process loads libraries and data.
    training = (folder / "state.pt").stat().st_mtime - (folder / "config.yaml").stat().st_mtime
    print(f"{model}: {time.perf_counter() - started:.1f} s, {training:.1f} s of it training")

    def result(place: str) -> tuple[object, ...]:
        """Nothing is left to train: this evaluates the best weights and reads what is on the disk."""
        return everything(run(model, "ml-100k", config_dict={**settings, "checkpoint_dir": place}, resume=True))

    whole, different = result("whole"), 0
    for kill in range(KILLS):
        place = f"killed-{kill}"
        process = subprocess.Popen([*words, f"--checkpoint_dir={place}"])
        while not list(Path(place).glob("*/config.yaml")):
            time.sleep(0.01)
        moment = random.uniform(0, training)
        time.sleep(moment)
        process.kill()
        process.wait()
        (folder,) = Path(place).glob("*/")
        state = folder / "state.pt"
        epochs = torch.load(state, weights_only=True)["epoch"] + 1 if state.exists() else 0
        subprocess.run([*words, f"--checkpoint_dir={place}", "--resume"], check=True)
        same = result(place) == whole
        different += not same
        print(f"killed after {moment:.2f} s, {epochs} epochs kept: {'identical' if same else 'DIFFERENT'}", flush=True)
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
