"""How trials are run: warm processes, several at once, each within its limits."""
