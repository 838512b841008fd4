"""Sealed frames from a REQ socket of libzmq: python3 zeromq.py SDK ENDPOINT APP KEY NODE-KEY"""

import sys

import zmq

sdk, endpoint, app, key, node_key = sys.argv[1:]
sys.path.insert(0, sdk)

from cocaine.sealing import SealError, Sealer, frame  # noqa: E402

socket = zmq.Context().socket(zmq.REQ)
socket.setsockopt(zmq.RCVTIMEO, 30000)
socket.connect(endpoint)
sealer = Sealer(app, key, node_key)


def ask(text):
    seal, call = sealer.begin("echo")
    socket.send(frame(seal, call.seal(text, last=True)))
    return call, [part[5:] for part in socket.recv_multipart() if part[:5] == b"CFS1\2"]


for i in range(100):
    call, records = ask(b"hello %d" % i)
    assert [call.open(record) for record in records] == [b"hello %d" % i, None], i
    assert call.ended
call, records = ask(b"swapped")
other, _ = ask(b"another")
try:
    other.open(records[0])
except SealError as error:
    print(error)
socket.send(b"plain")
print(socket.recv().decode())
socket.close(0)
