"""
Apps in Python. An app is a module; the task X calls its function X:

    def echo(request):                     # the whole request, as bytes
        yield request                      # every chunk goes to the caller; return works too

    def relay(request, response):          # two parameters: streams
        for chunk in request:
            response.write(chunk)

`async def` works in all of these forms, and runs concurrently: up to 64 calls, or as many as the manifest's engine.concurrency says.
"""

from __future__ import annotations

from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import ContextVar
    from typing import Optional

    from .call import Call

app_name: Optional[str] = None  # the app's name, set before its module is loaded
uuid: Optional[str] = None      # this worker's
app_version: int = 0            # the manifest's "version"

_call: Optional[Call] = None    # what the synchronous handler that runs now is answering
_thread: int = 0                # the thread that runs handlers
_task_call: Optional[ContextVar[Optional[Call]]] = None  # the same per asyncio task, when the app has async functions


class Cancelled(Exception):
    """
    The caller gave up: nobody reads this answer any more. Its error says why: [1000, 400] that the client went away, [1000, 520] that the
    deadline passed; any other one is the caller's own.
    """

    def __init__(self, message: str = "the caller gave up", category: int = 1000, code: int = 400, reason: str = "") -> None:
        Exception.__init__(self, message)
        self.category = category
        self.code = code
        self.reason = reason


class ChunkTooLong(ValueError):
    """A chunk of an answer is longer than a message may be. Written in pieces it may be as long as it likes."""


class WrongThread(RuntimeError):
    """A request or a response was used in a thread where it cannot be."""


def current() -> Optional[Call]:
    """
    The call that is being answered: its .event, .app, .headers, .header(name), .trace_id, .span_id, .parent_id and .cancelled. None outside
    of handlers, and in threads that the app makes: another call may be answered by then. asyncio.to_thread takes the call along.
    """
    call = _task_call.get() if _task_call is not None else None
    if call is not None:
        return call
    return _call if get_ident() == _thread else None
