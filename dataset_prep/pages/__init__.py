"""The look of every HTML page: one template, one theme, charts as SVG. It knows nothing of logs or models."""
