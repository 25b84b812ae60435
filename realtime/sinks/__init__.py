"""Step 9: where frames go."""
