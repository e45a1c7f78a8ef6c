"""Stop early, with the one command that helps, when something the set-up needs is missing."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import sysconfig
from pathlib import Path


def missing_packages() -> list[str]:
    """Debian/Ubuntu packages to install before the set-up can work."""
    packages = []
    if not any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++")):
        packages.append("g++")
    if importlib.util.find_spec("ensurepip") is None:
        packages.append("python3-venv")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        packages.append("python3-dev")  # the interface packages are compiled against it
    return packages


def main() -> int:
    """0 when the set-up can start."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"Python {version} is not 3.11, 3.12 or 3.13, as the lock needs: make setup PYTHON=python3.12")
        return 1
    packages = missing_packages()
    if packages:
        print(f"Missing on this machine: sudo apt-get install {' '.join(packages)}")
    return 1 if packages else 0


if __name__ == "__main__":
    sys.exit(main())
