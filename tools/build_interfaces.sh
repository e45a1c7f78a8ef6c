#!/usr/bin/env bash
# build_interfaces.sh VENV SOURCE NAME: build the ROS interface package SOURCE and install it into VENV.
# The virtual environment is itself an ament prefix: what lies in it needs no environment variables at run time.
set -euo pipefail
venv=$1 source=$2 build=$1/build/$3
tools=$(cd "$(dirname "$0")" && pwd)
export PATH=$venv/bin:$PATH CMAKE_PREFIX_PATH=$venv AMENT_PREFIX_PATH=$venv
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
  -DCMAKE_INSTALL_PREFIX="$venv" -DPython3_EXECUTABLE="$venv/bin/python" \
  -DCMAKE_PROJECT_INCLUDE="$tools/ros_wheels.cmake"
cmake --build "$build"
cmake --install "$build"
