"""The door: the command `scrim`. Floor 7."""

from realtime.errors import enter


def main() -> None:
    """Run the command line."""
    enter("realtime.commands")


if __name__ == "__main__":
    main()
