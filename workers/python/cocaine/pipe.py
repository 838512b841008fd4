"""
The shared-memory pipe: two byte rings in a segment that the node made. docs/worker-protocol.md has the layout and the rules.

x86-64 only: counters are read and written through memoryview.cast, which moves an aligned word in one access, and this architecture gives
every load acquire and every store release semantics. What it does not give is store-then-load order; see FENCE.
"""

from __future__ import annotations

import _thread
import mmap
import os
import select
from struct import unpack_from
from time import monotonic

from .exits import broken, node_gone
from .frames import CONTROL, cut
from .limits import LONG_BYTES, MESSAGE_BYTES, UNREAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from _socket import socket

    from .link import Pending

HEADER_BYTES = 4096

# Words of the control blocks, as indices of 8-byte counters and 4-byte flags.
REQUEST_TAIL, REQUEST_HEAD, REQUEST_PARKED, REQUEST_WAITS = 1024 // 8, 1152 // 8, 1280 // 4, 1408 // 4
RESPONSE_TAIL, RESPONSE_HEAD, RESPONSE_PARKED, RESPONSE_WAITS = 2048 // 8, 2176 // 8, 2304 // 4, 2432 // 4
MOST_BEGUN, BEGUN, RECALL = 60 // 4, 3072 // 8, 3200 // 4

LAST, MORE, PADDING = 0, 1, 2  # a record's kind

RING_ONCE = (1).to_bytes(8, "little")

# A full fence in pure Python. Taking a free lock is an atomic read-modify-write (`lock cmpxchg`, in sem_trywait or in the interpreter),
# and so is giving it back; on x86-64 a locked instruction lets no later load pass an earlier store. `with FENCE: pass` stands between
# a store and a load.
FENCE = _thread.allocate_lock()


class Pipe:
    """A Link (see link.py): both rings, this side's. One thread."""

    def __init__(self, segment: int, own_bell: int, node_bell: int, sock: socket) -> None:
        size = os.fstat(segment).st_size
        if size < HEADER_BYTES:
            broken("a segment of %d bytes" % size)
        self._map = map_ = mmap.mmap(segment, size)
        os.close(segment)
        magic, version, header, total, _, requests, responses, request_at, response_at, spin = unpack_from("<8sIIQQIIQQI", map_)
        if magic != b"CFPIPE01" or version != 1 or header != HEADER_BYTES or total != size:
            broken("a segment with magic %r, version %d, header %d, size %d of %d" % (magic, version, header, total, size))
        for capacity, at in (requests, request_at), (responses, response_at):
            if not 4096 <= capacity <= 1 << 30 or capacity & (capacity - 1) or at < HEADER_BYTES or at % 8 or at + capacity > size:
                broken("a ring of %d bytes at %d" % (capacity, at))
        self._view = memoryview(map_)
        self._words, self._flags = self._view.cast("Q"), self._view.cast("I")
        self._in_at, self._in_size = request_at, requests
        self._out_at, self._out_size = response_at, responses
        self._head = self._words[REQUEST_HEAD]     # next byte to read
        self._tail = self._words[RESPONSE_TAIL]    # next byte to write
        self._free_from = self._tail               # the node's head, as last seen
        self._pieces = []                          # of a long message
        self._pieces_size = 0
        self._taken_ahead = 0                      # bytes that have come while there was no room
        self._node_bell = node_bell
        self._spin = spin / 1e6
        most = self._flags[MOST_BEGUN]
        self.most_begun = most if 1 <= most < 1 << 31 else 1 << 31  # a node that gives nothing ahead says 0
        self._recalls = 0                          # the count of the last recall that was read
        self._words[BEGUN] = CONTROL               # before our first message here: the node may give calls ahead of their turn
        self.bell = own_bell
        self.sock = sock
        self.best_batch = responses // 4 - 8       # more is cut into pieces
        self._poll = select.epoll()
        # Edge-triggered: each ring wakes, though the bell's count is never read.
        self._poll.register(own_bell, select.EPOLLIN | select.EPOLLET)
        self._poll.register(sock.fileno(), select.EPOLLIN | select.EPOLLRDHUP)

    def fetch(self, pending: Pending) -> bool:
        """Moves everything that the node has written to `pending`: whole messages. False when there was nothing."""
        words, head, map_ = self._words, self._head, self._map
        tail = words[REQUEST_TAIL]
        if tail == head:
            return False
        base, mask = self._in_at, self._in_size - 1
        if tail < head or tail - head > mask + 1 or tail & 7:
            broken("a tail of %d with the head at %d" % (tail, head))
        while head != tail:
            place = head & mask
            at = base + place
            record = words[at >> 3]  # the one look at this header
            length, kind = record & 0xFFFFFFFF, record >> 32
            size = (length + 15) & -8
            if kind > PADDING or size > tail - head or place + size > mask + 1:
                broken("a record of kind %d and %d bytes at %d" % (kind, length, head))
            head += size
            if kind == LAST and not self._pieces:
                if length >= LONG_BYTES:
                    cut(self._view[at + 8:at + 8 + length], pending)
                elif length:
                    pending.append((map_[at + 8:at + 8 + length], 0))
            elif kind != PADDING:
                self._add_piece(pending, kind, map_[at + 8:at + 8 + length])
        self._head = words[REQUEST_HEAD] = head
        # Between our store of the head and our load of `writer waits`. Other half: the node's writer without room stores `writer waits`,
        # fences, and looks at the head again.
        with FENCE:
            pass
        if self._flags[REQUEST_WAITS]:
            self._flags[REQUEST_WAITS] = 0
            self._ring()
        return True

    def _add_piece(self, pending: Pending, kind: int, piece: bytes) -> None:
        self._pieces.append(piece)
        self._pieces_size += len(piece)
        if self._pieces_size > MESSAGE_BYTES:
            broken("a message of more than %d bytes" % MESSAGE_BYTES)
        if kind == LAST:
            pending.append((b"".join(self._pieces), 0))
            self._pieces.clear()
            self._pieces_size = 0

    @property
    def received(self) -> int:
        """Bytes that have come."""
        return self._head

    def truncated(self, pending: Pending, data: bytes, at: int, need: int) -> None:
        broken("a record that ends inside a message")

    def begin(self, number: int) -> bool:
        """
        Says that the call of a channel is about to begin. False when the node takes calls back, maybe this one: then nothing may begin
        until the recall has been read.
        """
        words = self._words
        if number > words[BEGUN]:
            words[BEGUN] = number
        # Between our store of `begun` and our load of `recall`. Other half: the node that takes calls back stores `recall`, fences, and
        # looks at `begun`: either it sees that this call has begun, or we see its recall here.
        with FENCE:
            pass
        return self._flags[RECALL] == self._recalls

    @property
    def is_recalling(self) -> bool:
        """A recall's message is under way."""
        return self._flags[RECALL] != self._recalls

    def recalled(self, count: int) -> None:
        """The message of the recall with that count has been read."""
        self._recalls = count

    def send(self, data: bytes, pending: Pending) -> None:
        """Writes whole messages and shows them to the node. What comes in while there is no room goes to `pending`."""
        if len(data) <= self.best_batch:
            self._write((data,), len(data), LAST, pending)
        else:
            self.send_parts([data], pending)

    def send_parts(self, parts: list[bytes | memoryview], pending: Pending) -> None:
        """The same of messages in pieces, which are joined in the ring."""
        left, most = sum(map(len, parts)), self.best_batch
        if left <= most:
            return self._write(parts, left, LAST, pending)
        record, room = [], most
        for part in map(memoryview, parts):
            while part:
                piece = part[:room]
                part = part[room:]
                record.append(piece)
                room -= len(piece)
                left -= len(piece)
                if not room or not left:
                    self._write(record, most - room, MORE if left else LAST, pending)
                    record, room = [], most

    def _write(self, parts: Sequence[bytes | memoryview], length: int, kind: int, pending: Pending) -> None:
        words, tail, capacity = self._words, self._tail, self._out_size
        size = (length + 15) & -8
        place = tail & (capacity - 1)
        padding = capacity - place if place + size > capacity else 0
        end = tail + padding + size
        if end - self._free_from > capacity:
            self._wait_for_room(end - capacity, pending)
        at = self._out_at + place
        if padding:
            words[at >> 3] = padding - 8 | PADDING << 32
            at = self._out_at
        map_, to = self._map, at + 8
        for part in parts:
            map_[to:to + len(part)] = part
            to += len(part)
        words[at >> 3] = length | kind << 32
        self._tail = words[RESPONSE_TAIL] = end
        # Between our store of the tail and our load of `reader parked`. Other half: the node's reader stores `reader parked`, fences, and
        # looks at the tail again. One of the two sees the other's store.
        with FENCE:
            pass
        if self._flags[RESPONSE_PARKED]:
            self._flags[RESPONSE_PARKED] = 0
            self._ring()

    def _wait_for_room(self, needed: int, pending: Pending) -> None:
        """
        Until the node's head is at `needed`. Reads on meanwhile, so that the node need not wait; no more than the bound of what is unread,
        since a node that waits for room in one ring reads the other one all the same.
        """
        flags = self._flags
        if not pending:
            self._taken_ahead = 0
        while True:
            if self._look_at_head() >= needed:
                return
            flags[RESPONSE_WAITS] = 1
            # Between our store of `writer waits` and our load of the head. Other half: the node's reader stores the head, fences, and
            # looks at `writer waits`.
            with FENCE:
                pass
            if self._look_at_head() < needed and not self._take_ahead(pending):
                self._sleep(-1)
            flags[RESPONSE_WAITS] = flags[REQUEST_PARKED] = 0

    def _take_ahead(self, pending: Pending) -> bool:
        """False when there is nothing that may be read: then only room wakes us, or what comes if that may be read."""
        if self._taken_ahead >= UNREAD_BYTES:
            return False
        before = self._head
        if not self.fetch(pending):
            return not self._park()
        self._taken_ahead += self._head - before
        return True

    def _look_at_head(self) -> int:
        head = self._words[RESPONSE_HEAD]
        if head < self._free_from or head > self._tail:
            broken("a head of %d, not from %d to %d" % (head, self._free_from, self._tail))
        self._free_from = head
        return head

    def everything_read(self) -> bool:
        """True when the node has read all that we wrote."""
        return self._look_at_head() == self._tail

    def wait(self, seconds: float) -> None:
        """Until something has come, or the time is over."""
        if self._spin > 0:
            words, head, end = self._words, self._head, monotonic() + min(self._spin, seconds)
            while monotonic() < end:
                if words[REQUEST_TAIL] != head:
                    return
        if self._park():
            self._sleep(seconds)
        self._flags[REQUEST_PARKED] = 0

    def _park(self) -> bool:
        """Says that we are about to sleep. False when something has come meanwhile."""
        self._flags[REQUEST_PARKED] = 1
        # Between our store of `reader parked` and our load of the tail. Other half: the node's writer stores the tail, fences, and looks at
        # `reader parked`: either it sees that we park, and rings, or we see its tail here.
        with FENCE:
            pass
        return self._words[REQUEST_TAIL] == self._head

    def _sleep(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(seconds):
            if descriptor != self.bell:
                self.check_socket()

    def check_socket(self) -> None:
        """The socket beside the pipe only ever says that the node is gone."""
        try:
            data = self.sock.recv(1)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            broken("a message on the socket beside the pipe")
        node_gone()

    def _ring(self) -> None:
        try:
            os.write(self._node_bell, RING_ONCE)
        except BlockingIOError:
            pass  # its count is at the limit: it has been rung more than enough

    def park_for_loop(self) -> bool:
        """For a loop that watches the descriptors itself: as wait(), but returns at once. False when there is something to read."""
        if self._park():
            return True
        self._flags[REQUEST_PARKED] = 0
        return False

    def unpark(self) -> None:
        """The loop has woken."""
        self._flags[REQUEST_PARKED] = 0
        try:
            os.read(self.bell, 8)  # for loops that watch it level-triggered
        except BlockingIOError:
            pass

    def watched(self) -> tuple[int, tuple[tuple[int, Callable[[], None]], ...]]:
        """(descriptor, callback) pairs for a loop, beside the one that brings messages."""
        return self.bell, ((self.sock.fileno(), self.check_socket),)
