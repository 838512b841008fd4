"""
MessagePack: https://github.com/msgpack/msgpack/blob/master/spec.md

    packb({"a": 1})  ->  bytes          unpackb(data)  ->  value

Text is str, bytes are bytes; raw=True reads both as bytes, as the protocol does, where a payload's family means nothing.
"""

from __future__ import annotations

from struct import Struct

from .limits import DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_U16, _U32, _U64 = Struct(">H"), Struct(">I"), Struct(">Q")
_I8, _I16, _I32, _I64 = Struct(">b"), Struct(">h"), Struct(">i"), Struct(">q")
_F32, _F64 = Struct(">f"), Struct(">d")
_NUMBERS = {0xCA: _F32, 0xCB: _F64, 0xCC: Struct(">B"), 0xCD: _U16, 0xCE: _U32, 0xCF: _U64,
            0xD0: _I8, 0xD1: _I16, 0xD2: _I32, 0xD3: _I64}
_SIZES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_CONTAINERS = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}


class Truncated(ValueError):
    """The data ends before the value does: at least `need` bytes from where reading began are wanted."""

    def __init__(self, need: int) -> None:
        ValueError.__init__(self, "the data ends inside a value")
        self.need = need


class Ext:
    """An extension value: its type and bytes."""

    __slots__ = ("code", "data")

    def __init__(self, code: int, data: bytes) -> None:
        self.code = code
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ext) and (self.code, self.data) == (other.code, other.data)

    def __hash__(self) -> int:
        return hash((self.code, self.data))

    def __repr__(self) -> str:
        return "Ext(%d, %r)" % (self.code, self.data)


def unpackb(data: bytes | bytearray | memoryview, raw: bool = False) -> Any:
    """The one value that data holds."""
    data = bytes(data)
    value, end = unpack_from(data, 0, raw)
    if end != len(data):
        raise ValueError("%d bytes follow the value" % (len(data) - end))
    return value


def unpack_from(data: bytes | memoryview, at: int = 0, raw: bool = False) -> tuple[Any, int]:
    """The value at `at`, and where the next one begins. With raw the data may be a memoryview, and then so are the bytes in the value."""
    return _unpack(data, at, raw, 0, at)


def _unpack(data: bytes, at: int, raw: bool, depth: int, start: int) -> tuple[Any, int]:
    if at >= len(data):
        raise Truncated(at - start + 1)
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first < 0x90:
        return _map(data, at, first & 15, raw, depth, start)
    if first < 0xA0:
        return _array(data, at, first & 15, raw, depth, start)
    if first < 0xC0:
        return _bytes(data, at, first & 31, not raw, start)
    if first <= 0xC3:
        if first == 0xC1:
            raise ValueError("0xc1 begins no value")
        return (None, None, False, True)[first & 3], at
    if first in _SIZES:
        width = _SIZES[first]
        size = _uint(data, at, width, start)
        return _bytes(data, at + width, size, first >= 0xD9 and not raw, start)
    if first in _NUMBERS:
        number = _NUMBERS[first]
        if at + number.size > len(data):
            raise Truncated(at + number.size - start)
        return number.unpack_from(data, at)[0], at + number.size
    if first in _CONTAINERS:
        width = _CONTAINERS[first]
        size = _uint(data, at, width, start)
        return (_map if first >= 0xDE else _array)(data, at + width, size, raw, depth, start)
    if first in _EXTS:
        width = _EXTS[first]
        size = _uint(data, at, width, start)
        at += width
    else:
        size = 1 << (first - 0xD4)  # fixext 1, 2, 4, 8, 16
    body, end = _bytes(data, at, size + 1, False, start)
    return Ext(body[0] - 256 if body[0] > 127 else body[0], body[1:]), end


def _uint(data: bytes, at: int, width: int, start: int) -> int:
    if at + width > len(data):
        raise Truncated(at + width - start)
    return int.from_bytes(data[at:at + width], "big")


def _bytes(data: bytes, at: int, size: int, text: bool, start: int) -> tuple[Any, int]:
    end = at + size
    if end > len(data):
        raise Truncated(end - start)
    return (data[at:end].decode("utf-8", "surrogateescape") if text else data[at:end]), end


def _array(data: bytes, at: int, count: int, raw: bool, depth: int, start: int) -> tuple[list[Any], int]:
    _check(data, at, count, depth, start)
    values = []
    for _ in range(count):
        value, at = _unpack(data, at, raw, depth + 1, start)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, count: int, raw: bool, depth: int, start: int) -> tuple[dict[Any, Any], int]:
    _check(data, at, 2 * count, depth, start)
    values = {}
    for _ in range(count):
        key, at = _unpack(data, at, raw, depth + 1, start)
        if isinstance(key, (list, dict)):
            raise ValueError("a map's key is a container")
        values[key], at = _unpack(data, at, raw, depth + 1, start)
    return values, at


def _check(data: bytes, at: int, count: int, depth: int, start: int) -> None:
    """A value is at least a byte: so a made-up count costs no memory, and never more than the data's own length."""
    if depth >= DEPTH:
        raise ValueError("nested deeper than %d" % DEPTH)
    if at + count > len(data):
        raise Truncated(at + count - start)


def packb(value: Any) -> bytes:
    """The bytes of None, a bool, number, str, bytes, list, tuple, dict or Ext, in the shortest form."""
    out = []
    _pack(value, out, 0)
    return b"".join(out)


def _pack(value: Any, out: list[bytes], depth: int) -> None:
    if value is None:
        out.append(b"\xc0")
    elif value is True or value is False:
        out.append(b"\xc3" if value else b"\xc2")
    elif isinstance(value, int):
        out.append(pack_int(value))
    elif isinstance(value, float):
        out.append(b"\xcb" + _F64.pack(value))
    elif isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
        out.append(text_head(len(value)))
        out.append(value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value)
        out.append(bin_head(len(value)))
        out.append(value)
    elif isinstance(value, Ext):
        fixed = {1: b"\xd4", 2: b"\xd5", 4: b"\xd6", 8: b"\xd7", 16: b"\xd8"}.get(len(value.data))
        out.append((fixed or _sized(len(value.data), b"\xc7", b"\xc8", b"\xc9")) + _I8.pack(value.code))
        out.append(bytes(value.data))
    elif isinstance(value, (list, tuple, dict)):
        if depth >= DEPTH:
            raise ValueError("nested deeper than %d" % DEPTH)
        size, is_map = len(value), isinstance(value, dict)
        if size < 16:
            out.append(bytes(((0x80 if is_map else 0x90) | size,)))
        else:
            out.append(_sized(size, None, b"\xde" if is_map else b"\xdc", b"\xdf" if is_map else b"\xdd"))
        for item in value:
            _pack(item, out, depth + 1)
            if is_map:
                _pack(value[item], out, depth + 1)
    else:
        raise TypeError("MessagePack has no form for %s" % type(value).__name__)


def pack_int(value: int) -> bytes:
    if value >= 0:
        if value < 0x80:
            return bytes((value,))
        if value < 0x100:
            return bytes((0xCC, value))
        if value < 0x10000:
            return b"\xcd" + _U16.pack(value)
        if value < 0x100000000:
            return b"\xce" + _U32.pack(value)
        if value < 0x10000000000000000:
            return b"\xcf" + _U64.pack(value)
    elif value >= -32:
        return _I8.pack(value)
    elif value >= -0x80:
        return b"\xd0" + _I8.pack(value)
    elif value >= -0x8000:
        return b"\xd1" + _I16.pack(value)
    elif value >= -0x80000000:
        return b"\xd2" + _I32.pack(value)
    elif value >= -0x8000000000000000:
        return b"\xd3" + _I64.pack(value)
    raise ValueError("%d has more than 64 bits" % value)


def text_head(size: int) -> bytes:
    """Without str8, which the oldest peers do not read."""
    return bytes((0xA0 | size,)) if size < 32 else _sized(size, None, b"\xda", b"\xdb")


def bin_head(size: int) -> bytes:
    return _sized(size, b"\xc4", b"\xc5", b"\xc6")


def _sized(size: int, small: bytes | None, medium: bytes, large: bytes) -> bytes:
    if small is not None and size < 0x100:
        return small + bytes((size,))
    if size < 0x10000:
        return medium + _U16.pack(size)
    if size < 0x100000000:
        return large + _U32.pack(size)
    raise ValueError("%d is too long for MessagePack" % size)
