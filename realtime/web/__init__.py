"""The studio: the line in a browser."""
