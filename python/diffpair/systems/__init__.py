"""What OpenMM Systems hold beside a learned potential, and where they run; knows nothing of states."""
