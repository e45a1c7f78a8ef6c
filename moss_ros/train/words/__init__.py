"""Trains the words of the bundled image-text model from a dictionary: what a text means, no pictures needed."""
