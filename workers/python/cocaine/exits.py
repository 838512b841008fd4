"""The ways in which a worker ends when it cannot go on."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

BROKEN_PIPE = 70  # the node wrote something into the pipe that it must not


def die(code: int, text: str) -> NoReturn:
    """
    Ends the process at once. Not by an exception: that would pass through a handler that reads its request, and the app could swallow it.
    """
    try:
        sys.stdout.flush()
        sys.stderr.write("cocaine: %s\n" % text)
        sys.stderr.flush()
    finally:
        os._exit(code)


def broken(text: str) -> NoReturn:
    die(BROKEN_PIPE, "the node broke the protocol: %s" % text)


def node_gone() -> NoReturn:
    """Nobody is left to tell; finishing what runs would be work for nobody."""
    os._exit(0)
