"""What a handler can ask about the call that it answers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Optional, Union


class Call:
    """Headers are decoded only when the handler asks."""

    __slots__ = ()

    event: str
    app: str
    header_items: Sequence[Any]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """(name, value) pairs of bytes."""
        from .headers import read_items
        return read_items(self.header_items)

    def header(self, name: Union[str, bytes]) -> Optional[bytes]:
        """The value of the first header of that name, or None."""
        wanted = name.encode() if isinstance(name, str) else name
        for key, value in self.headers:
            if key == wanted:
                return value
        return None

    @property
    def trace_id(self) -> int:
        """0 when the call is not traced; so are the other two."""
        return self._number(b"trace_id")

    @property
    def span_id(self) -> int:
        return self._number(b"span_id")

    @property
    def parent_id(self) -> int:
        return self._number(b"parent_id")

    @property
    def cancelled(self) -> bool:
        """Whether the caller has given up."""
        return False  # a call without a channel is over before that can be known

    @property
    def cancellation(self) -> Optional[Exception]:
        """The cocaine.Cancelled with the caller's error, once the caller has given up; before that None."""
        return None

    def _number(self, name: bytes) -> int:
        from .headers import number_of
        return number_of(self.header(name))
