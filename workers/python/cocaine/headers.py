"""
A message's headers: items are an index into the static table, or [flag, name or index, value]. The node writes literals and static
indexes only, so there is no dynamic table here. Imported when an app asks for headers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAMES = (
    ":authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset "
    "accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control "
    "content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag "
    "expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location "
    "max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security "
    "transfer-encoding user-agent vary via www-authenticate").encode().split()
_VALUES = {2: b"GET", 3: b"POST", 4: b"/", 5: b"/index.html", 6: b"http", 7: b"https", 8: b"200", 9: b"204", 10: b"206", 11: b"304",
           12: b"400", 13: b"404", 14: b"500", 16: b"gzip, deflate"}
_TRACE = {80: b"trace_id", 81: b"span_id", 82: b"parent_id"}  # 62 to 79 are reserved


def _entry(index: int) -> tuple[bytes, bytes] | None:
    if index in _TRACE:
        return _TRACE[index], bytes(8)
    if 1 <= index <= len(_NAMES):
        return _NAMES[index - 1], _VALUES.get(index, b"")
    return None


def read_items(items: list[Any] | None) -> list[tuple[bytes, bytes]]:
    """The (name, value) pairs of the items that can be understood, in order."""
    pairs = []
    for item in items or ():
        if isinstance(item, int):
            pair = _entry(item)
            if pair is not None:
                pairs.append(pair)
        elif isinstance(item, list) and len(item) >= 3:
            name = item[1]
            if isinstance(name, int):
                name = (_entry(name) or (None,))[0]
            if isinstance(name, bytes) and isinstance(item[2], bytes):
                pairs.append((name, item[2]))
    return pairs


def number_of(value: bytes | None) -> int:
    """A trace header's number: 8 bytes little-endian, or decimal text. 0 when there is none."""
    if value is None:
        return 0
    return int.from_bytes(value, "little") if len(value) == 8 else int(value) if value.isdigit() else 0
