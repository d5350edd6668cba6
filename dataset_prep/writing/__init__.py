"""The files of a data set, whole or absent."""
