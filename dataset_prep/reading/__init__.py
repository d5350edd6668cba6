"""From files to arrays: the readers of a log and of the small files beside it."""
