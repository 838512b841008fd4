#!/usr/bin/python3
"""
A worker that does everything right but one thing, named by FAULT: what the kit must catch. It speaks the protocol by hand, one handler
after the other, on the socket, and runs the contract app. FAULT=none is a right worker.
"""

import os
import re
import select
import socket
import sys
import time

FAULT = os.environ.get("FAULT", "none")
VALUED = dict(zip(sys.argv[1::2], sys.argv[2::2]))
APP, UUID = VALUED["--app"], VALUED["--uuid"]
BEATS = {"one heartbeat only": 3600, "sleeps with messages in its buffer": 0.2}
STATIC = {80: b"trace_id", 81: b"span_id", 82: b"parent_id", 23: b"authorization"}


def pack_int(number):
    if number < 0x80:
        return bytes((number,))
    width = 1 if number < 0x100 else 2 if number < 0x10000 else 4 if number < 1 << 32 else 8
    if FAULT == "narrow numbers" and width > 4:
        number, width = number % (1 << 32), 4
    return bytes((0xCC + (1, 2, 4, 8).index(width),)) + number.to_bytes(width, "big")


def pack_bytes(data):
    size = len(data)
    return (b"\xc4" + bytes((size,)) if size < 0x100 else b"\xc5" + size.to_bytes(2, "big") if size < 0x10000
            else b"\xc6" + size.to_bytes(4, "big")) + data


def unpack(data, at):
    """A value and where the next begins; IndexError when it is cut."""
    code = data[at]
    at += 1
    if code < 0x80 or code >= 0xE0:
        return code - (256 if code >= 0xE0 else 0), at
    if code & 0xF0 == 0x90 or code in (0xDC, 0xDD):
        count = code & 15 if code < 0xA0 else int.from_bytes(data[at:at + 2], "big")
        at += 2 if code == 0xDC else 0
        items = []
        for _ in range(count):
            item, at = unpack(data, at)
            items.append(item)
        return items, at
    if 0xA0 <= code < 0xC0:
        size = code & 31
    elif code in (0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB):
        width = 1 << ((code - 0xC4) if code < 0xC8 else (code - 0xD9))
        size = int.from_bytes(data[at:at + width], "big")
        at += width
    elif 0xCC <= code <= 0xCF:
        width = 1 << (code - 0xCC)
        if len(data) < at + width:
            raise IndexError
        return int.from_bytes(data[at:at + width], "big"), at + width
    elif code in (0xC2, 0xC3):
        return code == 0xC3, at
    else:
        raise ValueError(hex(code))
    if len(data) < at + size:
        raise IndexError
    return bytes(data[at:at + size]), at + size


class Node:
    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(VALUED["--endpoint"])
        self.buffer = bytearray()
        self.next_beat = time.monotonic()
        self.open = {}           # channel: (event, chunks, headers)
        self.terminated = False

    def send(self, channel, kind, args):
        self.sock.sendall(b"\x93" + pack_int(channel) + bytes((kind,)) + args)

    def chunk(self, channel, data):
        if FAULT == "three arguments in a chunk":
            self.send(channel, 0, b"\x92" + pack_bytes(data) + b"\x01")
        else:
            self.send(channel, 0, b"\x91" + pack_bytes(data))

    def close(self, channel):
        self.send(channel, 2, b"\x91\x00" if FAULT == "close with an argument" else b"\x90")
        if FAULT == "two terminals":
            self.send(channel, 2, b"\x90")

    def error(self, channel, code, text, category=1000):
        if FAULT == "error without a reason":
            self.send(channel, 1, b"\x91\x92\xcd" + category.to_bytes(2, "big") + b"\xcd" + code.to_bytes(2, "big"))
            return
        text = text.encode()
        self.send(channel, 1, b"\x92\x92\xcd" + category.to_bytes(2, "big") + b"\xcd" + code.to_bytes(2, "big")
                  + b"\xda" + len(text).to_bytes(2, "big") + text)

    def beat(self):
        if time.monotonic() >= self.next_beat and FAULT != "no heartbeat at all":
            self.next_beat = time.monotonic() + BEATS.get(FAULT, 4)
            self.send(1, 0, b"\x90")

    def messages(self):
        """What has come, after waiting for it at most until the next heartbeat."""
        at, found = 0, []
        while True:
            self.beat()
            if select.select([self.sock], [], [], 0.5)[0]:
                data = self.sock.recv(5 if FAULT == "drops what is cut" else 1 << 20)
                if not data:
                    while FAULT == "lives on without its node":
                        time.sleep(1)
                    os._exit(1)
                self.buffer += data
            try:
                while at < len(self.buffer):
                    message, at = unpack(self.buffer, at)
                    found.append(message)
            except IndexError:
                pass
            if FAULT == "drops what is cut":
                self.buffer.clear()
            else:
                del self.buffer[:at]
            at = 0
            if found:
                return found

    def next_of(self, channel):
        """The next (kind, data) of a channel that a handler reads; other channels' messages are kept."""
        kept = self.kept
        if FAULT == "sleeps with messages in its buffer":
            kept += self.messages()  # until the answer of its next heartbeat comes
        while True:
            for i, message in enumerate(kept):
                if message[0] == channel:
                    del kept[i]
                    if message[1] == 1:
                        self.given_up = message[2]
                    return message[1], message[2][0] if message[2] else b""
            kept += self.messages()

    kept = []


def header_lines(headers):
    lines = b""
    for item in headers:
        if isinstance(item, int):
            lines += STATIC[item] + b"=" + bytes(8).hex().encode() + b"\n"
        elif FAULT != "forgets literal headers":
            name = STATIC[item[1]] if isinstance(item[1], int) else item[1]
            lines += name + b"=" + item[2].hex().encode() + b"\n"
    return lines


def whole(node, channel):
    """The request to its end; None when the caller gave up."""
    data = []
    while True:
        kind, chunk = node.next_of(channel)
        if kind == 0:
            data.append(chunk)
        elif kind == 2 or FAULT == "takes a cancel for the end":
            return b"".join(data[:1]) if FAULT == "first chunk only" else b"".join(data)
        else:
            return None


def answer(node, channel, event, headers):
    if event == "relay":
        while True:
            kind, chunk = node.next_of(channel)
            if kind != 0:
                return node.close(channel)
            if FAULT == "collects before it relays":
                rest = whole(node, channel)
                node.chunk(channel, chunk + rest)
                return node.close(channel)
            node.chunk(channel, chunk)
    if event == "waits":
        node.chunk(channel, b"waiting")
        if FAULT == "never sees a cancel":
            while True:
                node.next_of(channel + 1000000)
        if FAULT == "silent while it waits":
            time.sleep(20)
        if whole(node, channel) is None:
            (category, code), reason = ((1000, 400), b"gone") if FAULT == "hides the caller's error" else node.given_up
            by = "[%d, %d]: %s" % (category, code, reason.decode())
            sys.stderr.write("waits was cancelled by %s\n" % by)
            sys.stderr.flush()
            return None if FAULT == "no terminal after a cancel" else node.error(channel, 502, "cancelled")
        node.chunk(channel, b"done")
        return node.close(channel)
    request = whole(node, channel)
    if request is None:
        return node.error(channel, 502, "cancelled")
    text = request.decode("utf-8", "replace")
    if event == "echo":
        if FAULT == "dies of an empty request" and not request:
            os._exit(4)
        if FAULT == "answers an empty request with text" and not request:
            request = b"nothing"
        if FAULT == "at most 64 KiB" and len(request) > 65536:
            request = request[:65536]
        if FAULT == "at most 16 MiB" and len(request) > 16 << 20:
            return node.error(channel, 413, "too large")
        if FAULT != "chunks of any size" and len(request) > 64 << 20:
            return node.error(channel, 413, "write it in pieces")
        if FAULT == "text only":
            request = request.decode("utf-8", "replace").encode()
        if request or FAULT == "chunk of 0 B":
            node.chunk(channel, request)
        if FAULT == "answers on another channel":
            node.chunk(channel + 500, b"stray")
        if FAULT != "never closes":
            node.close(channel)
    elif event == "count":
        joined = [b"%d" % number for number in range(int(text))]
        for chunk in [b"".join(joined)] if FAULT == "joins chunks" and joined else joined:
            node.chunk(channel, chunk)
        node.close(channel)
    elif event in ("raises", "raises_late"):
        if event == "raises_late" and FAULT != "loses chunks before an error":
            node.chunk(channel, b"first")
        if FAULT == "dies of an exception":
            os._exit(5)
        if FAULT == "close instead of an error" or (FAULT == "close after chunks instead of an error" and event == "raises_late"):
            return node.close(channel)
        node.error(channel, 500 if FAULT == "wrong code" else 502, "failed" if FAULT == "no text in the error" else text)
    elif event == "refuses":
        node.error(channel, 77, "mine", 1000 if FAULT == "own errors in our category" else 42)
    elif event == "sleeps":
        if FAULT == "ends when it is slow" and int(text) > 1000:
            os._exit(6)
        time.sleep(int(text) / 1000)
        if FAULT == "drops its jobs at a terminate":
            if select.select([node.sock], [], [], 0)[0]:
                node.kept += node.messages()
            if any(message[0] == 1 and message[1] == 1 for message in node.kept):
                sys.exit(0)
        node.chunk(channel, b"slept")
        node.close(channel)
        if FAULT == "dies of a late cancel":
            for message in node.kept + node.messages():
                if message[0] == channel and message[1] == 1:
                    os._exit(7)
                node.kept.append(message)
    elif event == "prints":
        if FAULT == "prints into the protocol":
            node.sock.sendall(request + b"\n")
        elif FAULT != "swallows output":
            print(text, flush=True)
            print(text, file=sys.stderr, flush=True)
        node.chunk(channel, b"printed")
        node.close(channel)
    elif event == "headers":
        node.chunk(channel, header_lines(headers))
        node.close(channel)
    elif event == "whoami":
        name = "app" if FAULT == "does not know its name" else APP
        node.chunk(channel, ("%s %s %s %s" % (name, UUID, event, os.environ["COCAINE_APP_VERSION"])).encode())
        node.close(channel)
    elif FAULT == "close for an unknown event":
        node.close(channel)
    elif FAULT == "own code for an unknown event":
        node.error(channel, 200, "no handler", 42)
    else:
        node.error(channel, 404, "there is no event " + event)


def main():
    if FAULT == "does not start":
        sys.exit("no module named nothing")
    node = Node()
    uuid = b"00000000-0000-0000-0000-000000000000" if FAULT == "wrong uuid" else UUID.encode()
    if FAULT == "garbage for a handshake":
        node.sock.sendall(b"HELO\r\n")
    elif FAULT != "no handshake":
        if FAULT == "knows no hold":
            node.send(1, 0, b"\x92" + pack_bytes(uuid) + b"\x81\xa4flow\x01")
            node.sock.recv(11)  # [1, 0, [{"flow": 1}]]
        else:
            node.send(1, 0, b"\x91" + pack_bytes(uuid))
    newest = 1
    while True:
        node.kept += node.messages() if not node.kept else []
        message = node.kept.pop(0)
        channel, kind, args = message[:3]
        if channel == 1:
            if kind == 1:
                if FAULT == "ignores terminate":
                    continue
                if FAULT == "drops its jobs at a terminate" or not node.kept:
                    sys.exit(3 if FAULT == "exits with 3" else 0)
                node.kept.append(message)    # after what is under way
            continue
        if channel > newest and kind == 0:
            newest = channel
            if FAULT == "serves one call only" and channel > 3:
                continue
            answer(node, channel, re.sub(r"\W", "", args[0].decode()), message[3] if len(message) > 3 else [])


try:
    main()
except (BrokenPipeError, ConnectionResetError):
    sys.exit(1)
