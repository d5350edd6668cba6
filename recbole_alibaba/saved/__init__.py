"""What a run leaves behind, read and written without pickle."""
