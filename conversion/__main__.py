"""The door: the command `scrim-convert`."""

from realtime.errors import enter


def main() -> None:
    """Run the command line."""
    enter("conversion.commands")


if __name__ == "__main__":
    main()
