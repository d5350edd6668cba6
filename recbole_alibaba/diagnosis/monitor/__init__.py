"""What is read while a model trains: the watcher, the probe around a trainer, and the epoch records."""
