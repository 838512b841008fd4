#!/usr/bin/python3
"""The Python SDK, broken where it meets the shared-memory pipe, in the way that FAULT names. Runs the contract app in CONTRACT."""

import os
import sys

sys.path.insert(0, os.environ["SDK"])

import cocaine.pipe
import cocaine.socket_link
from cocaine.worker import main

FAULT = os.environ["FAULT"]

if FAULT == "cannot do without the pipe":
    cocaine.socket_link.SocketLink = None

if FAULT == "a record past the tail":
    ring = cocaine.pipe.Pipe._ring

    def _ring(self):
        at = self._out_at + ((self._tail - 8) & (self._out_size - 1))
        self._words[cocaine.pipe.RESPONSE_TAIL] = self._tail + 8
        self._words[at + 8 >> 3] = 1 << 20
        ring(self)

    cocaine.pipe.Pipe._ring = _ring

if FAULT == "speaks on the socket too":
    send = cocaine.pipe.Pipe.send

    def _send(self, data, pending):
        self.sock.send(bytes(data[:4]))
        send(self, data, pending)

    cocaine.pipe.Pipe.send = _send

sys.exit(main(sys.argv[1:] + [os.environ["CONTRACT"]]))
