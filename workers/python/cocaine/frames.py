"""The protocol's messages: [channel, type, args, headers?]. Reading any of them, and the pieces that written ones are made of."""

from __future__ import annotations

from struct import Struct, error as StructError

from .limits import CUT_MESSAGES, FAILURE_TEXT_BYTES, LONG_BYTES
from .msgpack import Truncated, bin_head, pack_int, packb, text_head, unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .link import Pending

CONTROL = 1                          # the channel of handshake, heartbeat and terminate
FLOW, RECALL = 2, 3                  # types on it: hold the chunks of a channel, or go on; the node takes calls back
WRITE, ERROR, CLOSE = 0, 1, 2        # types on a channel; an invoke is the first write
CATEGORY, NOT_FOUND, TOO_LARGE, APP_ERROR = 1000, 404, 413, 502
APP_CATEGORY = 42                    # of errors that an app gives itself

READ = -1                            # in the place of an offset: the message has been read already

HEARTBEAT = b"\x93\x01\x00\x90"
CLOSE_TAIL = b"\x02\x90"             # follows a channel's head: [n, 2, []]
SMALL = tuple(b"\x00\x91\xc4" + bytes((size,)) for size in range(256))  # [n, 0, [bin of that size…

LARGE = b"\x00\x91\xc5"             # the same with a bin16, up to its size

_large_head = Struct(">3sH").pack
_U16, _U32 = Struct(">H").unpack_from, Struct(">I").unpack_from


def channel_head(number: int) -> bytes:
    """Every message that we write on a channel begins with this."""
    return b"\x93" + pack_int(number)


def chunk_head(size: int) -> bytes:
    if size < 256:
        return SMALL[size]
    return _large_head(LARGE, size) if size < 65536 else b"\x00\x91" + bin_head(size)


def error_tail(category: int, code: int, reason: str) -> bytes:
    reason = reason[:FAILURE_TEXT_BYTES].encode("utf-8", "replace")
    if len(reason) > FAILURE_TEXT_BYTES:
        reason = reason[:FAILURE_TEXT_BYTES].decode("utf-8", "ignore").encode()
    return b"\x01\x92" + packb([category, code]) + text_head(len(reason)) + reason


def flow_message(head: bytes, holds: bool) -> bytes:
    """[1, 2, [n, 1 or 0]]: hold the chunks of the channel with that head, or go on."""
    return b"\x93\x01\x02\x92" + head[1:] + (b"\x01" if holds else b"\x00")


def handshake(uuid: str, offer: dict[str, int]) -> bytes:
    """The uuid goes as bin: that tells the node that we read bin. The map says what we can do; the node answers with what it can."""
    return packb([CONTROL, 0, [uuid.encode(), offer]])


def read(data: bytes | memoryview, at: int) -> tuple[int, int, list[Any] | None, list[Any] | None, int]:
    """(channel, type, args, header items or None, where the next message begins). ValueError when it is none, Truncated when it is cut."""
    # The usual ones by hand: fixarray of 3, [n, 0, [bytes]] and [n, 2, []].
    try:
        if data[at] == 0x93:
            code = data[at + 1]
            if code < 0x80:
                number, i = code, at + 2
            elif code == 0xCD:
                number, i = _U16(data, at + 2)[0], at + 4
            elif code == 0xCE:
                number, i = _U32(data, at + 2)[0], at + 6
            else:
                return _read_any(data, at)
            kind = data[i]
            if kind == CLOSE and data[i + 1] == 0x90:
                return number, CLOSE, None, None, i + 2
            if kind == WRITE and data[i + 1] == 0x91:
                code = data[i + 2]
                if code == 0xC4:
                    size, i = data[i + 3], i + 4
                elif 0xA0 <= code < 0xC0:
                    size, i = code & 31, i + 3
                elif code == 0xC5 or code == 0xDA:
                    size, i = _U16(data, i + 3)[0], i + 5
                elif code == 0xC6:
                    size, i = _U32(data, i + 3)[0], i + 7
                else:
                    return _read_any(data, at)
                end = i + size
                if end > len(data):
                    raise Truncated(end - at)
                return number, WRITE, [data[i:end]], None, end
    except (IndexError, StructError):
        pass
    return _read_any(data, at)


def cut(record: memoryview, pending: Pending) -> None:
    """
    Moves the whole messages of a long record to `pending`. A long chunk is copied by itself, and comes as a message that has been read: so
    the handler gets this copy, and no other one is made.
    """
    start = at = 0
    looks = CUT_MESSAGES
    while at < len(record) and looks:
        try:
            number, kind, args, headers, end = read(record, at)
        except ValueError:
            break  # who takes the rest says what is wrong with it
        looks -= 1
        if kind == WRITE and args and len(args) == 1 and headers is None and type(args[0]) is memoryview and len(args[0]) >= LONG_BYTES:
            if start < at:
                pending.append((bytes(record[start:at]), 0))
            pending.append(((number, kind, [bytes(args[0])], None), READ))
            start, looks = end, CUT_MESSAGES
        at = end
    if start < len(record):
        pending.append((bytes(record[start:]), 0))


def _read_any(data: bytes | memoryview, at: int) -> tuple[int, int, list[Any], list[Any] | None, int]:
    message, end = unpack_from(data, at, True)
    if type(message) is not list or len(message) < 3:
        raise ValueError("a message is an array of three or four")
    number, kind, args = message[:3]
    if type(number) is not int or type(kind) is not int or number < 1 or kind < 0 or type(args) is not list:
        raise ValueError("a message of the wrong form")
    headers = message[3] if len(message) > 3 else None
    return number, kind, args, headers if type(headers) is list else None, end
