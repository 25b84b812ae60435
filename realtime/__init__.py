"""Scrim at run time: everything that runs while the camera is on."""
