"""`python -m arsync` is the command `arsync`."""

from arsync.cli import main

main()
