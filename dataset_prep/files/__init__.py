"""Raw files: found, unpacked, recognised, and rewritten where no reader takes their form."""
