"""An app whose calls take a while, so that jobs wait for each other."""

import time


def echo(request):
    time.sleep(0.01)
    return request  # whole at once: a job whose answer has begun cannot run again


def pour(request):
    """Numbered chunks of a kilobyte."""
    time.sleep(0.01)
    for number in range(int(request)):
        yield (b"%d " % number).ljust(1024, b".")
