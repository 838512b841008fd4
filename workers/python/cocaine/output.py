"""
What a worker writes.

Answers are collected in `out` and shown to the node together, because a publish for each would cost more than a small handler does.
When that is allowed is running.py's business.
"""

from __future__ import annotations

from time import monotonic

from . import ChunkTooLong
from .forks import FORKED, end_writing_child
from .frames import chunk_head
from .limits import CHUNK_BYTES, LONG_BYTES, QUICK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .link import Link, Pending


class Output:
    def __init__(self, link: Link, pending: Pending) -> None:
        self._link = link
        self._pending = pending  # what comes in while there is no room goes there
        self.out = []            # messages, in pieces, not published yet
        self.out_size = 0        # bytes in it, the small ones not counted
        self.unheard = 0         # bytes published since the node was listened to
        self.due = 0.0           # when what is written must be published

    def publish(self) -> None:
        if FORKED:
            end_writing_child()
        if self.out_size >= LONG_BYTES:
            parts = self.out.copy()
            self.out.clear()
            self.unheard += self.out_size
            self.out_size = 0
            self._link.send_parts(parts, self._pending)
        elif self.out:
            data = b"".join(self.out)
            self.out.clear()
            self.out_size = 0
            self.unheard += len(data)
            self._link.send(data, self._pending)
        self.due = monotonic() + QUICK_SECONDS

    def write_all(self, head: bytes, answer: Any) -> None:
        """A handler's whole answer: nothing, a chunk, or an iterable of chunks."""
        if answer is None:
            return
        if isinstance(answer, (bytes, str, bytearray, memoryview)):
            self.write(head, answer)
        elif isinstance(answer, dict):
            raise TypeError("a handler gives bytes, text or an iterable of them, not a dict")
        else:
            for chunk in answer:
                self.write(head, chunk)

    def write(self, head: bytes, chunk: Any) -> None:
        """A chunk, behind the head of its channel. Nothing of it is needed any more when this returns, unless it is bytes."""
        is_lent = False
        if type(chunk) is not bytes:
            if isinstance(chunk, str):
                chunk = chunk.encode("utf-8", "surrogateescape")
            elif isinstance(chunk, (bytearray, memoryview)):
                is_lent = len(chunk) >= LONG_BYTES
                chunk = memoryview(chunk).cast("B") if is_lent and memoryview(chunk).c_contiguous else bytes(chunk)
            elif isinstance(chunk, bytes):
                chunk = bytes(chunk)
            else:
                raise TypeError("a chunk is bytes or text, not %s" % type(chunk).__name__)
        size = len(chunk)
        if size > CHUNK_BYTES:
            raise ChunkTooLong("a chunk has at most %d bytes, and this one has %d: write it in pieces" % (CHUNK_BYTES, size))
        if self.out_size + size + 16 > self._link.best_batch:
            self.publish()
        self.out += (head, chunk_head(size), chunk)
        self.out_size += size + 16
        if is_lent:
            self.publish()  # its owner may change it
