#!/usr/bin/python3
"""The Python SDK, broken where it meets the shared-memory pipe, in the way that FAULT names. Runs the contract app in CONTRACT."""

import os
import sys

sys.path.insert(0, os.environ["SDK"])

import cocaine.pipe
import cocaine.worker

FAULT = os.environ["FAULT"]

if FAULT == "cannot do without the pipe":
    cocaine.worker.SocketLink = None

if FAULT == "a record past the tail":
    class Words:
        """The pipe's words, whose tail is always shown with one record too many: a node sees the one only with the other."""

        def __init__(self, pipe):
            self.words, self.out_at, self.out_size = pipe._words, pipe._out_at, pipe._out_size

        def __getitem__(self, at):
            return self.words[at]

        def __setitem__(self, at, value):
            if at == cocaine.pipe.RESPONSE_TAIL:
                self.words[self.out_at + (value & (self.out_size - 1)) >> 3] = 1 << 20
                value += 8
            self.words[at] = value

    init = cocaine.pipe.Pipe.__init__

    def _init(self, *args):
        init(self, *args)
        self._words = Words(self)

    cocaine.pipe.Pipe.__init__ = _init

if FAULT == "speaks on the socket too":
    send = cocaine.pipe.Pipe.send

    def _send(self, data, pending):
        self.sock.send(bytes(data[:4]))
        send(self, data, pending)

    cocaine.pipe.Pipe.send = _send

if FAULT == "begins what was taken back":
    cocaine.pipe.Pipe.begin = lambda self, number: True
    cocaine.pipe.Pipe.is_recalling = False

sys.exit(cocaine.worker.main(sys.argv[1:] + [os.environ["CONTRACT"]]))
