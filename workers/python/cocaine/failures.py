"""What a handler raised, for the log and for the caller. Nothing here raises: an exception of the app's may be unable to show itself."""

from __future__ import annotations

import sys

from .apart import APART
from .limits import FAILURE_TEXT_BYTES, LOG_TEXT_BYTES

UNSHOWN = "an exception that cannot be shown: its __str__ raises"

_FOLDER = __file__.rpartition("/")[0]  # of this package; cocaine-worker.py lies beside it
_OURS = (_FOLDER + "/", _FOLDER.rpartition("/")[0] + "/cocaine-worker.py", "<frozen importlib")

_NAME = type.__dict__["__name__"]


def show(failure: BaseException) -> None:
    """The app's part of the traceback into its log. The app may have set sys.excepthook, and that may be broken, too."""
    _cut_our_frames(failure)
    try:
        if sys.excepthook is sys.__excepthook__ and _is_long(failure):
            _show_cut(failure)
        else:
            sys.excepthook(type(failure), failure, failure.__traceback__)
        return
    except BaseException:
        pass
    try:
        sys.stderr.write("cocaine: sys.excepthook is broken; what it should have shown:\n")
        sys.__excepthook__(type(failure), failure, failure.__traceback__)
    except BaseException:
        pass  # sys.stderr is closed, say: the caller gets the text all the same


def _cut_our_frames(failure: BaseException) -> None:
    """How the SDK and the import system came to the app's code says nothing about it: the traceback begins with the app's own."""
    try:
        frames = failure.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OURS):
            frames = frames.tb_next
        BaseException.with_traceback(failure, frames)
    except BaseException:
        pass


def _is_long(failure: BaseException) -> bool:
    try:
        return len(str(failure).encode("utf-8", "replace")) > LOG_TEXT_BYTES
    except BaseException:
        return False  # the interpreter's hook can show it: as "<exception str() failed>"


def _show_cut(failure: BaseException) -> None:
    with APART:
        from traceback import format_tb

    text = str(failure)
    shown = text[:LOG_TEXT_BYTES].encode("utf-8", "replace")[:LOG_TEXT_BYTES].decode("utf-8", "ignore")
    sys.stderr.write("Traceback (most recent call last):\n%s%s: %s ... (%d characters in all)\n" % (
        "".join(format_tb(failure.__traceback__)), type(failure).__name__, shown, len(text)))


def text_of(failure: BaseException) -> str:
    """The exception's name and text, without traceback: what callers get, cut to no less than the bytes that go to them."""
    try:
        name, text = type(failure).__name__, str(failure)
        return ("%s: %.*s" % (name, FAILURE_TEXT_BYTES, text) if text else "%s" % name)[:FAILURE_TEXT_BYTES]
    except BaseException:
        pass
    try:
        name = _NAME.__get__(type(failure))  # past a metaclass that has its own
        return ("%s, whose text cannot be shown: its __str__ raises" % name)[:FAILURE_TEXT_BYTES]
    except BaseException:
        return UNSHOWN
