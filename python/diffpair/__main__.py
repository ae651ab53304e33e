"""`python -m diffpair` is the diffpair command."""

from diffpair_command import main

if __name__ == "__main__":  # and not where mpi4py.futures imports it in its workers
    main()
