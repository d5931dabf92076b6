"""The front door: the command line. The only module that sees everything; imports lazily."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
