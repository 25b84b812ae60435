"""The door: the command `scrim-convert`."""

from functools import partial

from realtime.door import enter, run_app


def main() -> None:
    """Run the command line."""
    enter(partial(run_app, "conversion.commands"))


if __name__ == "__main__":
    main()
