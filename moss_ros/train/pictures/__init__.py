"""Trains the image half of the bundled model of words and pictures: composites and simulated homes -> small tower."""
