"""How an examination is shown: console text, an HTML page, JSON and a property file; no torch."""
