#!/usr/bin/python3
"""
A worker like the oldest public frameworks of Cocaine 0.11 and 0.12: it writes and reads the raw family only, numbers of fixed width, no
headers, a handshake of one element and a heartbeat every 20 s; it ignores terminate, and closes its side late. It runs the contract app.

With REPLAY=FILE:FRAMEWORK it answers the call on channel n with the messages that this framework's worker was recorded to send there.
"""

import json
import os
import select
import socket
import struct
import sys
import time

VALUED = dict(zip(sys.argv[1::2], sys.argv[2::2]))
HEARTBEAT_SECONDS = 20


def number(value):
    return b"\xcf" + struct.pack(">Q", value)


def raw(data):
    size = len(data)
    return (bytes((0xA0 | size,)) if size < 32 else b"\xda" + struct.pack(">H", size) if size < 65536
            else b"\xdb" + struct.pack(">I", size)) + data


def unpack(data, at):
    """A value and where the next begins. Bytes of the modern families end the connection, as they do with these frameworks."""
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code & 0xF0 == 0x90:
        items = []
        for _ in range(code & 15):
            item, at = unpack(data, at)
            items.append(item)
        return items, at
    if 0xCC <= code <= 0xD3:
        width = 1 << ((code - 0xCC) & 3)
        if len(data) < at + width:
            raise IndexError
        return int.from_bytes(data[at:at + width], "big", signed=code >= 0xD0), at + width
    if code in (0xC2, 0xC3):
        return code == 0xC3, at
    if 0xA0 <= code < 0xC0:
        size = code & 31
    elif code in (0xDA, 0xDB):
        width = 2 if code == 0xDA else 4
        size = int.from_bytes(data[at:at + width], "big")
        at += width
    else:
        sys.exit("byte %#x is of no family that this worker knows" % code)
    if len(data) < at + size:
        raise IndexError
    return bytes(data[at:at + size]), at + size


class Worker:
    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(VALUED["--endpoint"])
        self.next_beat = time.monotonic() + HEARTBEAT_SECONDS
        self.calls = {}      # channel: [event, chunks, headers]
        self.recorded = {}   # channel: messages
        self.handshake = b"\x93" + number(1) + number(0) + b"\x91" + raw(VALUED["--uuid"].encode())
        self.heartbeat = b"\x93" + number(1) + number(0) + b"\x90"
        if "REPLAY" in os.environ:
            self.load(*os.environ["REPLAY"].split(":"))
        self.sock.sendall(self.handshake + self.heartbeat)

    def load(self, file, framework):
        with open(file) as frames:
            for frame in json.load(frames):
                if frame["from"] != framework:
                    continue
                data = bytes.fromhex(frame["hex"].replace("-", ""))
                kind = frame["what"].split(" ")[0].strip(",")
                if kind == "handshake":
                    at = data.index(b"\xda\x00\x24") + 3   # the recorded uuid
                    self.handshake = data[:at] + VALUED["--uuid"].encode() + data[at + 36:]
                elif kind == "heartbeat":
                    self.heartbeat = data
                elif kind == "terminate":
                    self.terminate = data
                else:
                    self.recorded.setdefault(unpack(data, 0)[0][0], []).append((kind, data))

    terminate = None

    def send(self, channel, kind, args):
        self.sock.sendall(b"\x93" + number(channel) + number(kind) + args)

    def chunk(self, channel, data):
        self.send(channel, 0, b"\x91" + raw(data))

    def error(self, channel, code, text):
        self.send(channel, 1, b"\x92\x92" + number(42) + number(code) + raw(text))

    def serve(self):
        buffer = bytearray()
        while True:
            wait = max(0, self.next_beat - time.monotonic())
            if not select.select([self.sock], [], [], wait)[0]:
                self.next_beat += HEARTBEAT_SECONDS
                self.sock.sendall(self.heartbeat)
                continue
            data = self.sock.recv(1 << 20)
            if not data:
                return
            buffer += data    # in place: a long message comes in hundreds of pieces
            at = 0
            try:
                while at < len(buffer):
                    message, at = unpack(buffer, at)
                    self.take(message)
            except IndexError:
                pass
            del buffer[:at]

    def take(self, message):
        channel, kind, args = message[:3]
        if channel == 1:
            if kind == 1 and self.terminate is not None:
                self.sock.sendall(self.terminate)
                sys.exit(0)
            return    # terminate is ignored: Node.js's worker does so
        if channel not in self.calls:
            headers = message[3]    # unchecked, as C++ workers read them
            assert len(headers) >= 3
            self.calls[channel] = call = [args[0].decode(), [], headers]
            self.begin(channel, call[0])
        elif kind == 0:
            self.calls[channel][1].append(args[0])
            if self.calls[channel][0] == "relay":
                self.chunk(channel, args[0])
        else:
            event, chunks, headers = self.calls.pop(channel)
            if kind == 2:
                self.end(channel, event, b"".join(chunks), headers)
            else:
                if event == "waits":
                    sys.stderr.write("waits was cancelled\n")
                    sys.stderr.flush()
                self.error(channel, 100, b"cancelled")

    def begin(self, channel, event):
        if event == "waits":
            self.chunk(channel, b"waiting")

    def end(self, channel, event, request, headers):
        if channel in self.recorded:
            messages = self.recorded.pop(channel)
            self.sock.sendall(b"".join(data for _, data in messages))
            if messages[-1][0] != "chunk":
                return
        elif event in ("echo", "upload", "ping"):
            if request:
                self.chunk(channel, request)
        elif event == "count":
            for index in range(int(request)):
                self.chunk(channel, b"%d" % index)
        elif event in ("raises", "raises_late"):
            if event == "raises_late":
                self.chunk(channel, b"first")
            return self.error(channel, 100, request)
        elif event == "refuses":
            return self.error(channel, 77, b"mine")
        elif event == "waits":
            self.chunk(channel, b"done")
        elif event == "sleeps":
            time.sleep(int(request) / 1000)
            self.chunk(channel, b"slept")
        elif event == "prints":
            print(request.decode(), flush=True)
            self.chunk(channel, b"printed")
        elif event == "headers":
            self.chunk(channel, repr(headers).encode())
        elif event == "whoami":
            self.chunk(channel, ("%s %s %s" % (VALUED["--app"], VALUED["--uuid"], event)).encode())
        elif event != "relay":
            return self.error(channel, 200, b"There is no handler for an event " + event.encode())
        time.sleep(0.01)    # late: the node may have closed, and opened others, before
        self.send(channel, 2, b"\x90")


Worker().serve()
