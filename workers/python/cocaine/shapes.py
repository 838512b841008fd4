"""
Whole requests recognised in one step. A usual request comes as three messages in a row,

    [n, 0, [event], [80, 81, 82]]   [n, 0, [bin8]]   [n, 2, []]

and for an event, a width of n and a size of the data every byte but n and the data is known. So each such shape has a Struct that takes
all three apart in one call; session.py compares the fixed parts. A bin16 takes a little longer, all else the general way.
"""

from __future__ import annotations

from struct import Struct, error as StructError

from .app import PROVEN, STREAMS
from .msgpack import Truncated, unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App, Handler

    Shape = tuple[Any, ...]

__all__ = ["Shapes", "StructError"]

_WIDTHS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_NO_TRACE = b"\x93\x50\x51\x52"


class Shapes:
    def __init__(self, app: App) -> None:
        self._app = app
        self._known = {}

    def guess(self, data: bytes, at: int) -> Shape | None:
        """The shape of the request that begins with the invoke at `at`, or None when it has none."""
        try:
            code = data[at + 1]
            start = at + 2 + _WIDTHS.get(code, 0)
            if code >= 0x80 and start == at + 2 or data[start] != 0 or data[start + 1] != 0x91:
                return None
            event, end = unpack_from(data, start + 2, True)
        except (IndexError, Truncated, ValueError):
            return None
        if type(event) is not bytes or data[end:end + 4] != _NO_TRACE:
            return None
        handler = self._app.find(event)
        if handler is None or handler.streak < PROVEN or handler.takes == STREAMS or handler.is_async:
            return None
        key = code if code >= 0x80 else 0, data[start:end]
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = _make(key[0], data[start:end + 4], handler)
        return shape


def _make(code: int, after_number: bytes, handler: Handler) -> Shape:
    """(unpackers by size, where the size is, bytes without the data, the three fixed parts, handler)."""
    prefix = bytes((code,)) if code else b""
    width = _WIDTHS.get(code, 1)
    head = 1 + len(prefix) + width
    form = ">%ds%ds%ds%ds4s%%ds%ds2s" % (1 + len(prefix), width, len(after_number), head, head)
    size_at = head + len(after_number) + head + 3
    unpackers = tuple(Struct(form % size).unpack_from for size in range(256))
    return unpackers, size_at, size_at + 1 + head + 2, b"\x94" + prefix, after_number, b"\x93" + prefix, handler
