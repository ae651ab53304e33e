"""`python -m diffpair` is the diffpair command."""

from diffpair.cli import main

main()
