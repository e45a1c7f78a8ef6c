"""How fast and how bounded the package is, each number beside a named baseline of the same process."""
