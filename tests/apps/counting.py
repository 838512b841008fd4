"""Writes down each begin of its handler, and then takes as long as the request says."""

import os
import time


def mark(request):
    """The request is FILE|ID|MS, and the answer the id."""
    path, job, ms = request.decode().split("|")
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, job.encode() + b"\n")
    os.close(file)
    if ms != "0":
        time.sleep(int(ms) / 1000)
    return job
