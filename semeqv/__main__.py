"""`python -m semeqv` is the command `semeqv`."""

from semeqv.cli import main

if __name__ == "__main__":
    main()
