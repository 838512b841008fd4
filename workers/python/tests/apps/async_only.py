"""Async functions, and no import of asyncio: the SDK needs it."""


async def aecho(request):
    return request
