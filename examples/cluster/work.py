"""An event that takes its time: with more calls than one node has room for, the others help."""

import time


def work(request):
    time.sleep(0.01)
    yield request
