// Handlers that write much, or read step by step.

const CHUNK_BYTES = 40000;
const { Cancelled } = globalThis.cocaine;
let step;

function* numbered(request, size = CHUNK_BYTES) {
    for (let i = 0; i < Number(request); i++) {
        yield Buffer.concat([Buffer.from(String(i).padStart(8, '0')), Buffer.alloc(size - 8)]);
    }
}

export const yields = (request) => numbered(request);
export const yieldsSmall = (request) => numbered(request, 1000);
export const returns = (request) => [...numbered(request)];
export async function* yieldsAsync(request) { yield* numbered(request); }
export const promises = async (request) => numbered(request);
export async function writes(request, response) {
    for (const chunk of numbered(await request.read())) {
        await response.write(chunk);
    }
}
export async function errs(request, response) { await request.read(); response.error(7, 'mine'); }
export async function closes(request, response) { await request.read(); response.close(); }
export async function steps(request, response) {
    for (;;) {
        await new Promise((resolve) => { step = resolve; });
        const chunk = await request.read();
        if (chunk === null) {
            return;
        }
        await response.write(chunk.subarray(0, 8));
    }
}
process.on('SIGUSR1', () => step());
export async function sums(request, response) {
    let sum = 0;
    for await (const chunk of request) { sum += chunk.length; }
    await response.write(String(sum));
}
export function used() { globalThis.gc(); return String(process.memoryUsage().heapUsed); }
export const echo = (request) => request;
export async function cancelled(request, response) {
    try {
        for (;;) { await response.write(Buffer.alloc(CHUNK_BYTES)); }
    } catch (failure) {
        console.error(`cancelled: ${failure instanceof Cancelled}`);
        throw failure;
    }
}
export async function careless(request, response) {
    const all = [...numbered(await request.read())].map((chunk) => response.write(chunk)); // and awaits none until the end
    await new Promise((resolve) => { step = resolve; });
    return all.length === 0 ? '' : undefined;
}
