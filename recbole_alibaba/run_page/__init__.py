"""The page of one run or several: what was trained, what it reached, and beside what; no torch before it is needed."""
