"""Weights that others trained: what there is, where it is kept, how it is fetched and checked."""
