"""What a setting may be: kinds of values, the rule of each setting, old names, combinations. No recbole, no torch."""
