"""What a state does in an iteration, as one pure task that any process can do."""
