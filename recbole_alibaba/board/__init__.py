"""Boards: which model is best on these data? Several models, data sets and seeds, trained and compared alike."""
