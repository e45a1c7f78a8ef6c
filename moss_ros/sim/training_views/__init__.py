"""Endless rooms and depth cameras to train the mask network on; not the home that `moss sim` makes."""
