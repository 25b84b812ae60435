"""Step 1: where frames come from."""
