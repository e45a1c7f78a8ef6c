"""Many scenes, replayed and scored in one go: in processes of this machine or on a Ray cluster."""
