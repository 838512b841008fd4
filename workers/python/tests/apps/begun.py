"""Handlers that show when they begin, and end when the test lets them."""

import os


def echo(request):
    return request


def gated(request):
    """Neither reads nor writes while it waits."""
    if request == b"gate":
        os.write(int(os.environ["BEGUN"]), b"x")
        os.read(int(os.environ["GATE"]), 1)
    return request


def chunks(request):
    for part in request.split():
        yield part


def relay(request, response):
    for chunk in request:
        response.write(b"<" + chunk + b">")
