"""Questions in words about the instances of the map, and their answers."""
