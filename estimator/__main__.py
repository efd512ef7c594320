"""`python -m estimator` is the command line."""

from estimator.cli import main

if __name__ == "__main__":
    main()
