import asyncio
import os


async def echo(request):
    await asyncio.sleep(0)
    return request


async def wait(request):
    await asyncio.sleep(float(request))
    yield b"waited"


async def stream(request, response):
    async for chunk in request:
        response.write(chunk)
    response.close()


async def deaf(request):
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


async def hold(request):
    while not os.path.exists(request.decode()):
        await asyncio.sleep(0.01)
    return b"held"


async def poison(request):
    while not os.path.exists(request.decode()):
        await asyncio.sleep(0.01)
    os._exit(3)


async def never(request):
    await asyncio.Event().wait()
