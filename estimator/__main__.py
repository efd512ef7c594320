"""The program `estimator`, also as `python -m estimator`: what has to be set before anything is imported."""

import gc
import os


def main() -> None:
    """Run the command line."""
    # Start-up makes many objects that all stay: looking for garbage among them takes a tenth of it.
    gc.set_threshold(100_000, 50, 100)
    # Looking for plugins of pydantic costs 10 ms at each start, and none has a part here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from estimator.cli import main as run

    run()


if __name__ == "__main__":
    main()
