import asyncio


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
