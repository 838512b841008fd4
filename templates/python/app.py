"""Every function here is an event: a client calls it by its name."""


def hello(request):
    """What is yielded is the answer, chunk by chunk."""
    yield "hello, " + (request.decode() or "world")


def shout(request, response):
    """With two parameters both ways are streams: each chunk is answered as it comes."""
    for chunk in request:
        response.write(chunk.upper())
