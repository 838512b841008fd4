"""libzmq sockets for the tests: a JSON command a line on standard input, an answer a line on standard output. Frames are hexadecimal."""

import json
import sys

import zmq

context = zmq.Context()
sockets = {}


def open_socket(command):
    socket = context.socket(getattr(zmq, command["type"]))
    socket.linger = command.get("linger", 5000)
    socket.sndhwm = socket.rcvhwm = command.get("hwm", 1000)
    for name, value in command.get("options", {}).items():
        socket.setsockopt(getattr(zmq, name), value)
    if "identity" in command:
        socket.identity = command["identity"].encode()
    for topic in command.get("topics", []):
        socket.subscribe(topic)
    sockets[command["socket"]] = socket
    if command.get("bind"):
        return socket.bind_to_random_port("tcp://127.0.0.1")
    socket.connect(command["endpoint"])
    return None


def send(command):
    sockets[command["socket"]].send_multipart([bytes.fromhex(frame) for frame in command["frames"]])


def receive(command):
    socket = sockets[command["socket"]]
    if not socket.poll(command["timeout"]):
        return None
    return [frame.hex() for frame in socket.recv_multipart()]


def flood(command):
    """Sends as many messages as go out while the peer makes room at least once in so many ms; the count."""
    socket = sockets[command["socket"]]
    socket.sndtimeo = command["timeout"]
    frames = [bytes.fromhex(frame) for frame in command["frames"]]
    for sent in range(command["count"]):
        try:
            socket.send_multipart(frames, copy=False)
        except zmq.Again:
            return sent
    return command["count"]


def drain(command):
    """Receives until nothing comes for so many ms; how many messages of which last frame came."""
    socket = sockets[command["socket"]]
    seen = {}
    while socket.poll(command["timeout"]):
        last = socket.recv_multipart()[-1][:64].hex()
        seen[last] = seen.get(last, 0) + 1
    return seen


def close(command):
    sockets.pop(command["socket"]).close()


commands = {"open": open_socket, "send": send, "receive": receive, "flood": flood, "drain": drain, "close": close}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(commands[request["do"]](request)), flush=True)
