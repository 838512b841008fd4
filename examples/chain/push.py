#!/usr/bin/python3
"""A sensor: pushes its arguments, a reading each, to the first app. Needs pyzmq (Debian: python3-zmq).

    push.py tcp://127.0.0.1:9301 "kitchen 21.5" "oven 190"
"""

import sys

import zmq

with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
    socket.connect(sys.argv[1])
    for reading in sys.argv[2:]:
        socket.send_string(reading)
