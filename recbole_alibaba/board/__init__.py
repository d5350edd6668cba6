"""Which model is best on my data? Trials of models, their records, and the pages made of them."""
