#!/usr/bin/env python3
"""
Requests a second of one bare worker: a node without sockets and engine keeps 256 echo requests in flight over the pipe.

    pipe_bench.py [event] [data bytes] [requests in flight] [app]

Worker CPU per request is the figure to trust; requests a second vary with what else the machine does.
"""

import os
import struct
import sys
import time

from fake_node import FakeNode, HERE
from cocaine.msgpack import packb


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(event, size, flight, app, seconds=3.0):
    node = FakeNode(app, capacity=1 << 20)
    chunks, _ = node.call(event, b"x" * size)
    answer_bytes = sum(8 + len(packb(chunk)) for chunk in chunks) + 8  # the number and what stands around it, and the close
    rings = node.rings
    name = event.encode()
    # Four-byte channel numbers, as a worker that has served for a while gets them.
    head = b"\x94\xce%s\x00\x91" + bytes((0xA0 | len(name),)) + name + b"\x93PQR\x93\xce%s\x00\x91"
    data = (b"\xc4" + bytes((size,)) if size < 256 else b"\xc5" + struct.pack(">H", size) if size < 65536 else b"\xc6" + struct.pack(">I", size)) + b"x" * size
    tail = b"\x93\xce%s\x02\x90"
    most = rings.capacity // 4 - 8
    step = max(1, min(32, flight, most // (len(head) + len(data) + len(tail) + 8)))  # about what one receive of a busy connection brings
    number = 70000
    done = received = sent = 0
    begin = cpu = last = None
    start = time.monotonic()
    while True:
        while begin is None or now - begin <= seconds:
            if sent - done + step > flight:
                break
            parts = []
            for number in range(number, number + step):
                raw = number.to_bytes(4, "big")
                parts.append((head % (raw, raw)) + data + tail % raw)
            number += 1
            if not rings.try_write(b"".join(parts)):
                break
            sent += step
        streams = rings.read()
        if not streams:
            if rings.park():
                os.set_blocking(rings.node_bell, True)
                os.read(rings.node_bell, 8)
            continue
        for stream in streams:
            received += len(stream) - (4 if stream.endswith(b"\x93\x01\x00\x90") else 0)
        done = received // answer_bytes
        now = time.monotonic()
        if begin is None and now - start > 0.5:
            begin, cpu, first = now, cpu_seconds(node.process.pid), done
        elif begin is not None and now - begin > seconds:
            if last is None:
                last, end, used = done, now, cpu_seconds(node.process.pid) - cpu
            if received >= sent * answer_bytes:
                break
    assert received == sent * answer_bytes, "not the answers that were expected"
    count = last - first
    print("%s, %d bytes, %d in flight: %.0f requests/s, worker CPU %.2f us per request" % (
        event, size, flight, count / (end - begin), used / count * 1e6))
    node.close()


if __name__ == "__main__":
    words = sys.argv[1:]
    run(words[0] if words else "echo", int(words[1]) if len(words) > 1 else 64, int(words[2]) if len(words) > 2 else 256,
        words[3] if len(words) > 3 else os.path.join(HERE, "apps", "contract.py"))
