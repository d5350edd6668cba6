"""What the reader sees in the terminal: log, bars, one line an epoch, the result, the next commands."""
