"""The door: the command `scrim`. Floor 7."""

from functools import partial

from realtime.door import enter, run_app


def main() -> None:
    """Run the command line."""
    enter(partial(run_app, "realtime.commands"))


if __name__ == "__main__":
    main()
