"""Everything that knows RecBole's insides."""
