"""What is kept of a fit: history, checkpoint, folder, provenance, words."""
