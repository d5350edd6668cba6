"""Remedies that are tried: other settings, other thresholds, other conversions of the log."""
