"""Steps 2 to 4: from a picture to a steady, sharp matte."""
