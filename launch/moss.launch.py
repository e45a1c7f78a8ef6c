"""The mapper, and on request a bag player and rviz.

ros2 launch moss_ros moss.launch.py params_file:=my_robot.yaml
ros2 launch moss_ros moss.launch.py bag:=FOLDER params_file:=$(ros2 pkg prefix moss_ros)/share/moss_ros/config/bag.yaml
"""

import os
from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription

CONFIG = Path(__file__).resolve().parent.parent / "config"  # in the sources as in share/moss_ros
TOPICS = ("color_topic", "depth_topic", "color_info_topic", "depth_info_topic", "pose_topic")
PROFILES = ("default", "demo", "realtime", "accurate")


def generate_launch_description() -> LaunchDescription:
    """Arguments first: `ros2 launch moss_ros moss.launch.py --show-args` lists them."""
    arguments = [
        DeclareLaunchArgument("params_file", default_value=str(CONFIG / "moss.yaml"), description="parameter file"),
        DeclareLaunchArgument(
            "profile", default_value="default", choices=list(PROFILES), description="speed or detail"
        ),
        DeclareLaunchArgument("bag", default_value="", description="rosbag2 folder to play; empty: live topics"),
        DeclareLaunchArgument("rate", default_value="1.0", description="playing speed of the bag"),
        DeclareLaunchArgument("rviz", default_value="false", description="start rviz2 (true, false)"),
        DeclareLaunchArgument("use_sim_time", default_value="auto", description="true, false; auto: true with a bag"),
        DeclareLaunchArgument(
            "autostart", default_value="", description="false: wait for a lifecycle manager; empty: as in the file"
        ),
        DeclareLaunchArgument("pose_source", default_value="", description="tf, pose, odometry; empty: as in the file"),
    ]
    arguments += [DeclareLaunchArgument(name, default_value="", description="empty: as in the file") for name in TOPICS]
    return LaunchDescription([*arguments, *_transport(), OpaqueFunction(function=_nodes)])


def _transport() -> list[SetEnvironmentVariable]:
    """Fast DDS loses images larger than its default shared-memory segment; a user's own profile stays."""
    name = "FASTDDS_DEFAULT_PROFILES_FILE"
    return [] if name in os.environ else [SetEnvironmentVariable(name, str(CONFIG / "fastdds_shm.xml"))]


def _nodes(context: LaunchContext) -> list[Node]:
    def value(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    sim_time = value("use_sim_time") == "true" or (value("use_sim_time") == "auto" and bool(value("bag")))
    given: dict[str, str | bool] = {f"input.{name}": value(name) for name in (*TOPICS, "pose_source") if value(name)}
    if value("autostart"):
        given["node.autostart"] = value("autostart") == "true"
    files = [value("params_file")]
    if value("profile") != "default":
        files.append(str(CONFIG / f"profile_{value('profile')}.yaml"))
    nodes = [
        Node(
            package="moss_ros",
            executable="mapper",
            name="mapper",
            output="screen",
            parameters=[*files, {"use_sim_time": sim_time, **given}],
        )
    ]
    if value("bag"):
        player = {"bag": value("bag"), "rate": float(value("rate"))}
        nodes.append(Node(package="moss_ros", executable="player", name="player", output="screen", parameters=[player]))
    if value("rviz") == "true":
        rviz = ["-d", str(CONFIG / "moss.rviz")]
        nodes.append(Node(package="rviz2", executable="rviz2", arguments=rviz, parameters=[{"use_sim_time": sim_time}]))
    return nodes
