"""
The way to the node and back: shared memory (pipe.py) or the socket (socket_link.py). For types only: nothing of it is there at run time.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _collections import deque
    from collections.abc import Callable
    from typing import Any, Protocol

    from _socket import socket

    # (bytes, offset): messages that came and were not looked at yet. Or (a message as frames.read gives it, READ).
    Pending = deque[tuple[Any, int]]

    class Link(Protocol):
        """Used in one thread."""

        sock: socket
        best_batch: int  # bytes that are best sent at once
        most_begun: int  # calls that may have begun and not ended
        is_recalling: bool  # the node takes calls back, and its message about it has not been read

        @property
        def received(self) -> int:
            """Bytes that have come."""

        def fetch(self, pending: Pending) -> bool:
            """Moves what has come to `pending`. False when there was nothing."""

        def truncated(self, pending: Pending, data: bytes, at: int, need: int) -> None:
            """The message at `at` is not all here: `need` bytes of it are wanted."""

        def send(self, data: bytes, pending: Pending) -> None:
            """Whole messages. What comes in while there is no room for them goes to `pending`."""

        def send_parts(self, parts: list[bytes | memoryview], pending: Pending) -> None:
            """The same of messages in pieces, without joining them first."""

        def begin(self, number: int) -> bool:
            """Says that the call of a channel is about to begin. False when it may not yet: the node takes calls back."""

        def recalled(self, count: int) -> None:
            """The message about the recall with that count has been read."""

        def everything_read(self) -> bool:
            """Whether the node has read all that was sent."""

        def wait(self, seconds: float) -> None:
            """Until something has come, or the time is over."""

        def park_for_loop(self) -> bool:
            """As wait, for a loop that watches the descriptors itself: returns at once. False when there is something to read."""

        def unpark(self) -> None:
            """The loop has woken."""

        def watched(self) -> tuple[int, tuple[tuple[int, Callable[[], None]], ...]]:
            """The descriptor that brings messages, and (descriptor, callback) pairs of those beside it."""
