"""Build of moss_ros for colcon (ament_python) and pip alike."""

from glob import glob

from setuptools import find_packages, setup

setup(
    name="moss_ros",
    version="0.1.0",
    description="Open-vocabulary 3D instance mapping for ROS 2 robots with an RGB-D camera",
    license="Apache-2.0",
    packages=find_packages(include=["moss_ros*"]),
    package_data={
        "moss_ros.evaluation": ["labels/*"],
        "moss_ros.language.encoders": ["weights/*"],
        "moss_ros.language.nouns": ["data/*"],
        "moss_ros.language.sizes": ["data/*"],
        "moss_ros.masks2d": ["weights/*"],
        "moss_ros.proposals": ["ranking*.json"],
        "moss_ros.train.words": ["household.txt"],
    },
    python_requires=">=3.10",
    install_requires=[
        "numpy>=1.22,<3",
        "scipy>=1.8,<2",
        "numba>=0.56,<1",
        "opencv-python-headless>=4.5.4,<6",
        "PyYAML>=5.4,<7",
        "tqdm>=4.57,<5",
        "rosbags>=0.11,<0.12",
        "matplotlib>=3.5,<4",
    ],
    extras_require={
        "ray": ["ray>=2.9,<3"],
        "learned": ["torch>=2.2,<3", "safetensors>=0.4,<1"],
        "language": [
            "torch>=2.2,<3",
            "torchvision>=0.17",
            "safetensors>=0.4,<1",
            "open_clip_torch>=2.24,<4",
            "timm>=1,<2",
        ],
        "sam": ["torch>=2.2,<3", "torchvision>=0.17", "segment-anything>=1,<2", "transformers>=4.56"],
        "train": ["scikit-learn>=1.4,<2"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/moss_ros"]),
        ("share/moss_ros", ["package.xml"]),
        ("share/moss_ros/launch", sorted(glob("launch/*.py"))),
        ("share/moss_ros/config", sorted(glob("config/*.*"))),
    ],
    entry_points={
        "console_scripts": [
            "moss = moss_ros.cli:main",
            "mapper = moss_ros.ros.mapper_node:main",
            "player = moss_ros.ros.player_node:main",
        ]
    },
    zip_safe=False,
)
