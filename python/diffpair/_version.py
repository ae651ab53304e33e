"""The version of the package, and the one place where it stands: pyproject.toml and CMakeLists.txt read this file."""

__version__ = "0.1.0"
