"""Steps 5 to 8: the new place of the person."""
