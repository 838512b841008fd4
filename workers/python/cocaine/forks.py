"""
Children that the app makes with os.fork. Such a child has the worker's whole memory, the pipe included, and where it comes back into the
SDK (its handler returns, calls sys.exit, or the exec in it fails) it must end at once: it would be a second worker on the same pipe.
"""

from __future__ import annotations

import os
import sys

from .failures import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, Optional

# Not empty in such a child. A list, because looking at one costs the worker next to nothing after each handler.
FORKED: list[bool] = []

when_forked: list[Callable[[], None]] = []  # what else a child must do before the app's code goes on in it


def _in_child() -> None:
    FORKED.append(True)
    for step in when_forked:
        step()


os.register_at_fork(after_in_child=_in_child)


def end_child(failure: Optional[BaseException] = None) -> NoReturn:
    """Ends a forked child as the interpreter would have, but at once: nothing of the worker may run in it any more."""
    code = 0
    try:
        if isinstance(failure, SystemExit) and failure.code is None or failure is None:
            pass
        elif isinstance(failure, SystemExit) and isinstance(failure.code, int):
            code = failure.code & 255
        else:
            code = 1
            show(failure)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def end_writing_child() -> NoReturn:
    """A child that tries to answer."""
    try:
        sys.stderr.write("cocaine: a forked child cannot answer: it may tell its parent what to write, through a pipe or multiprocessing\n")
        sys.stderr.flush()
    finally:
        os._exit(1)
