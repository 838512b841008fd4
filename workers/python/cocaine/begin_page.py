"""
What is begun, beside the socket: a page that the node shares with the worker. On the pipe its words are in the segment, see pipe.py. The
rules are in docs/worker-protocol.md, "What is begun".
"""

from __future__ import annotations

import os
import sys

from .frames import CONTROL

PAGE_BYTES, MAGIC = 4096, b"CBEGIN01"
MOST_AT, BEGUN_AT, RECALL_AT = 60, 3072, 3200


def open_page() -> int:
    """The page's descriptor, or -1: there is none, or it cannot be used. What the app starts does not see it."""
    name = os.environ.pop("COCAINE_BEGIN_PAGE", "")
    # The order of a write before a read, see begin() below, is that of this architecture.
    if os.uname().machine != "x86_64" or not (name.isascii() and name.isdigit() and len(name) < 10):
        return -1
    page = int(name)
    try:
        if os.fstat(page).st_size == PAGE_BYTES and os.pread(page, len(MAGIC), 0) == MAGIC:
            os.set_inheritable(page, False)
            return page
    except OSError:
        pass  # no descriptor
    return -1


class BeginPage:
    """Lets calls begin, or keeps them until the node has said what it takes back."""

    def __init__(self, page: int) -> None:
        self._page = page
        self._highest = CONTROL
        self._recalls = 0  # the count of the last recall that was read
        self.is_recalling = False
        self.most_begun = int.from_bytes(os.pread(page, 4, MOST_AT), "little") or sys.maxsize
        self._write()  # before our first message: the node may give calls ahead of their turn

    def begin(self, number: int) -> bool:
        """As Link.begin."""
        if number > self._highest:
            self._highest = number
            self._write()
        # Our write of `begun`, then our read of `recall`. Other half: the node stores `recall`, fences, and loads `begun`. The write ends
        # with the file's lock given back, on x86-64 a locked instruction, which no later load passes: so either the node sees that this
        # call has begun, or we see its recall here.
        self.is_recalling = int.from_bytes(os.pread(self._page, 4, RECALL_AT), "little") != self._recalls
        return not self.is_recalling

    def recalled(self, count: int) -> None:
        """As Link.recalled. A later recall is found with the next begin."""
        self._recalls = count
        self.is_recalling = False

    def _write(self) -> None:
        """Twice, because the kernel may copy byte by byte: the node takes it for a number when both are the same."""
        os.pwrite(self._page, self._highest.to_bytes(8, "little") * 2, BEGUN_AT)
