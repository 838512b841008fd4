"""The first app of the chain: a line from a sensor becomes fields on the pubsub socket."""

import json


def measure(request):
    """b"kitchen 21.5" is published as the field celsius, and as the field reading with all that is known of it."""
    sensor, celsius = request.decode().split()
    celsius = float(celsius)
    reading = {"sensor": sensor, "celsius": celsius, "fahrenheit": round(celsius * 9 / 5 + 32, 1)}
    return json.dumps({"celsius": celsius, "reading": reading})
