"""The same with async functions."""

bodies = []


async def relay(request, response):
    async for chunk in request:
        response.write(b"<" + chunk + b">")


async def closes(request, response):
    """Ends its answer long before it ends itself."""
    response.close()
    bodies.append(await request.body())


async def echo(request):
    return request


def plain(request):
    return request
