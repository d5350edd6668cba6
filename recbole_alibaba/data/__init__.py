"""The data of a run: the data set, its splits, the loaders, the negatives."""
