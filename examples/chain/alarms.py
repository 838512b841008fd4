"""The second app of the chain: it subscribes to the first one's field `reading`, and publishes what it makes of it."""

import json

from cocaine.msgpack import unpackb

TOO_HOT = 30.0


def check(request):
    """The request is a MessagePack array of the message's frames: the topic, `source field host time`, and the value."""
    topic, value = unpackb(request)
    reading = json.loads(value)
    if reading["celsius"] < TOO_HOT:
        return None  # nothing to publish
    return json.dumps({"alarm": "%(sensor)s is too hot: %(fahrenheit)s F" % reading, "since": float(topic.split()[-1])})
