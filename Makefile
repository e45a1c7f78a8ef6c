# One command each; `make help` lists them. The first one sets up .venv (minutes), later ones start at once.
PYTHON ?= python3
VENV   := $(CURDIR)/.venv
BIN    := $(VENV)/bin
STEP   := tools/step.sh
CMAKE_ARGS := -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Release -DPython3_EXECUTABLE=$(BIN)/python \
  -DCMAKE_PROJECT_INCLUDE=$(CURDIR)/tools/ros_wheels.cmake
INTERFACES := $(wildcard msg/msg/*.msg msg/srv/*.srv msg/action/*.action) msg/CMakeLists.txt msg/package.xml

# Nodes started here talk on this machine only; Fast DDS loses large images with its own shared-memory size.
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST
export FASTDDS_DEFAULT_PROFILES_FILE ?= $(CURDIR)/config/fastdds_shm.xml
# A ROS installation sourced in this shell must not shine through into .venv.
unexport PYTHONPATH PYTHONHOME COLCON_PREFIX_PATH
export AMENT_PREFIX_PATH := $(VENV)
export CMAKE_PREFIX_PATH := $(VENV)

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "make %-7s %s\n", $$1, $$2}'

setup: $(VENV)/.moss_ros ## create .venv: packages, ROS interfaces, the moss command

test: lint setup ## lint, then all tests
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.packages ## ruff, format, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy moss_ros

demo: setup ## play a bag through the live node, write demo_out/ (BAG=DIR: your own bag)
	$(BIN)/moss demo $(if $(BAG),--bag "$(BAG)") --out demo_out

bench: setup ## measure speed and quality
	$(BIN)/python -m benchmarks.run

# What a robot user runs, but with the ROS of .venv: gives install/setup.bash, lib/moss_ros/*, share/moss_ros.
ws: setup ## colcon workspace in build/ and install/
	PATH="$(BIN):$$PATH" colcon build --cmake-args $(CMAKE_ARGS)
	@echo 'next: export AMENT_PREFIX_PATH=$(VENV); . install/setup.bash'

docs: setup ## write docs/parameters.md anew
	$(BIN)/python tools/write_parameter_docs.py

clean: ## remove everything that these commands made, but no results
	rm -rf $(VENV) build install log .pytest_cache .ruff_cache .mypy_cache .hypothesis moss_ros.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) tools/check_machine.py
	@$(STEP) '[1/5] virtual environment' $(VENV)/venv.log $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.packages: requirements.lock | $(VENV)/.made
	@$(STEP) '[2/5] Python packages and ROS wheels (minutes)' $(VENV)/packages.log \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-input -r requirements.lock
	@touch $@

# The wheels lack tf2_msgs, which /tf needs; its definition comes with rosbags.
$(VENV)/.tf2_msgs: msg/tf2_msgs_from_rosbags.py | $(VENV)/.packages
	@$(STEP) '[3/5] tf2_msgs: write and compile' $(VENV)/tf2_msgs.log sh -c \
	  '$(BIN)/python msg/tf2_msgs_from_rosbags.py $(VENV)/src/tf2_msgs && tools/build_interfaces.sh $(VENV) $(VENV)/src/tf2_msgs tf2_msgs'
	@touch $@

$(VENV)/.moss_msgs: $(INTERFACES) | $(VENV)/.tf2_msgs
	@$(STEP) '[4/5] moss_msgs: compile' $(VENV)/moss_msgs.log tools/build_interfaces.sh $(VENV) msg moss_msgs
	@touch $@

# Without build isolation: setuptools is pinned in the lock, and nothing more is downloaded.
$(VENV)/.moss_ros: $(VENV)/.packages $(VENV)/.moss_msgs setup.py setup.cfg pyproject.toml
	@$(STEP) '[5/5] moss_ros itself, editable' $(VENV)/moss_ros.log \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: help setup test lint demo bench ws docs clean
.DELETE_ON_ERROR:
