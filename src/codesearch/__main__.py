"""`python -m codesearch`."""

from codesearch.cli import main

main()
