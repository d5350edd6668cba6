"""The swift reader: columns out of raw bytes and pairs out of columns, by operations on whole arrays."""
