"""A simulated home made from code alone: rooms, things, a depth camera's recording and its exact truth."""
