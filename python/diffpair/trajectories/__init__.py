"""Targets from a user's own trajectory: its g(r), as a fit counts pairs."""
