"""A WSGI application, and others that misbehave."""

import json


def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    shown = {key: value for key, value in environ.items() if isinstance(value, str)}
    start_response("201 Created", [("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [json.dumps(shown).encode(), b"", environ["wsgi.input"].read(length)]


class Closing:
    closed = 0

    def __iter__(self):
        yield b"first"
        raise KeyError("late")

    def close(self):
        Closing.closed += 1


def fails_late(environ, start_response):
    write = start_response("200 OK", [])
    write(b"written")
    return Closing()


def fails(environ, start_response):
    raise ValueError("no page")


def empty(environ, start_response):
    start_response("204 No Content", [])
    return []


def silent(environ, start_response):
    return [b"body"]


def replaces(environ, start_response):
    start_response("200 OK", [])
    try:
        raise ValueError("inner")
    except ValueError:
        import sys
        start_response("500 Oops", [], sys.exc_info())
    return [b"page"]


class Nested:
    wsgi = staticmethod(empty)


not_callable = 5
