"""Full-sort evaluation and the top k lists behind it."""
