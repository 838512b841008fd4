# What a web framework's user has at the least: 64 bytes back.
BODY = b"x" * 64


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "64")])
    return [BODY]
