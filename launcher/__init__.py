"""Starts and ends the servers and the processes of `make run` and `make test`. No Django here."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Refusal(Exception):
    """Why the launcher cannot go on: a sentence for the person at the keyboard."""
