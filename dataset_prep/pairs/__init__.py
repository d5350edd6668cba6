"""Everything that is decided about a log, over arrays: distinct pairs, filters, core, remedies, split."""
