"""The door: the command `scrim-train`."""

import os
from functools import partial

from realtime.door import enter, run_app


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # waiting threads leave the core to others
    enter(partial(run_app, "training.commands"))


if __name__ == "__main__":
    main()
