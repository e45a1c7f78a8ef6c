"""Write the interface package tf2_msgs into a folder: the ROS wheels on PyPI lack it.

usage: python msg/tf2_msgs_from_rosbags.py FOLDER
"""

import sys
from pathlib import Path

_PACKAGE = """<?xml version="1.0"?>
<package format="3">
  <name>tf2_msgs</name>
  <version>0.0.0</version>
  <description>TFMessage, for set-ups without a ROS installation.</description>
  <maintainer email="maintainers@moss-ros.example">moss_ros maintainers</maintainer>
  <license>BSD-3-Clause</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <build_depend>rosidl_default_generators</build_depend>
  <depend>geometry_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""
_CMAKE = """cmake_minimum_required(VERSION 3.8)
project(tf2_msgs)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(geometry_msgs REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} "msg/TFMessage.msg" DEPENDENCIES geometry_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""


def main(folder: Path) -> None:
    (folder / "msg").mkdir(parents=True, exist_ok=True)
    (folder / "package.xml").write_text(_PACKAGE)
    (folder / "CMakeLists.txt").write_text(_CMAKE)
    (folder / "msg" / "TFMessage.msg").write_text("geometry_msgs/TransformStamped[] transforms\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
