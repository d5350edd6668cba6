"""Train and test a model on a data set made by dataset_prep: `python run.py --dataset=NAME`; see --help."""

from recbole_alibaba.cli import run_py

if __name__ == "__main__":
    run_py()
