"""
SIGUSR2 prints the stacks of all threads, and those of asyncio's tasks, to stderr. The node sends it before it kills a worker that hangs,
and so may anybody. The app may set a handler of its own for the signal.
"""

from __future__ import annotations

import faulthandler
import sys
from _signal import SIG_DFL, SIGUSR2, getsignal  # signal itself takes milliseconds to import

from .limits import STACK_AWAITS, STACK_FRAMES, STACK_TASKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterator
    from typing import Any

MAIN_TASK = "cocaine"  # the worker's own

_STDERR = 2


def install() -> None:
    """Needs no interpreter that gets its turn: it prints also when a handler hangs in C code."""
    faulthandler.register(SIGUSR2, file=_STDERR, all_threads=True, chain=False)


def install_on_loop(loop: AbstractEventLoop, all_tasks: Callable[[AbstractEventLoop], set[Any]]) -> None:
    """The threads' stacks as before, and behind them, when the loop lives, those of the tasks that wait."""
    if getsignal(SIGUSR2) != SIG_DFL:
        return  # the app has one of its own
    faulthandler.unregister(SIGUSR2)
    loop.add_signal_handler(SIGUSR2, print_tasks, loop, all_tasks)
    faulthandler.register(SIGUSR2, file=_STDERR, all_threads=True, chain=True)


def print_tasks(loop: AbstractEventLoop, all_tasks: Callable[[AbstractEventLoop], set[Any]]) -> None:
    tasks = [task for task in all_tasks(loop) if not task.done() and task.get_name() != MAIN_TASK]
    sys.stderr.write("cocaine: %d task(s) wait\n" % len(tasks))
    for task in tasks[:STACK_TASKS]:
        frames = list(_frames_of(task.get_coro()))[-STACK_FRAMES:]
        sys.stderr.write("Task %s (most recent call last):\n%s" % (task.get_name(), "".join(frames)))
    sys.stderr.flush()


def _frames_of(awaited: Any) -> Iterator[str]:
    """From the task's own coroutine down to what it waits for; task.get_stack gives the first only."""
    for _ in range(STACK_AWAITS):
        for prefix in "cr", "ag", "gi":
            code = getattr(awaited, prefix + "_code", None)
            if code is not None:
                frame = getattr(awaited, prefix + "_frame", None)
                if frame is not None:
                    yield "  File \"%s\", line %d in %s\n" % (code.co_filename, frame.f_lineno, code.co_name)
                awaited = getattr(awaited, "gi_yieldfrom" if prefix == "gi" else prefix + "_await", None)
                break
        else:
            return
