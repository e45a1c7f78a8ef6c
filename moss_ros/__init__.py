"""Open-vocabulary 3D instance mapping for ROS 2 robots with an RGB-D camera."""

__version__ = "0.1.0"
