"""The bank of planted faults: set-ups that are broken in a known way, each beside its healthy twin."""
