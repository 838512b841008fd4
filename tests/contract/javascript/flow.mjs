// Events that write much, and that read slowly.

const CHUNK = Buffer.alloc(64 << 10);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export const pid = () => String(process.pid);

export async function floods(request, response) {
    for (let left = Number(await request.body()) << 4; left > 0; left--) {
        await response.write(CHUNK);
    }
}

export function* yields(request) {
    for (let left = Number(request) << 4; left > 0; left--) {
        yield CHUNK;
    }
}

/** Begins to read after a while, and waits after each chunk. */
export async function swallows(request, response) {
    let size = 0;
    await sleep(200);
    for await (const chunk of request) {
        size += chunk.length;
        await sleep(1);
    }
    await response.write(String(size));
}
