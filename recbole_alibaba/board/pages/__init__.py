"""The pages of a board, rendered from its standings: Markdown, CSV, LaTeX, HTML."""
