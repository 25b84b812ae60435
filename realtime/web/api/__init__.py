"""The studio's API, version 1: its operations in a table, and the document that describes them."""
