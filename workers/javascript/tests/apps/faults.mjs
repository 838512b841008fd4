// Handlers that fail in every way, and some that never end.

import { Worker } from 'node:worker_threads';

const { current } = globalThis.cocaine;
const kept = [];

const tooLong = () => new Uint8Array((64 << 20) + 1);

export const plain = (request) => request;
export const givesLong = () => tooLong();
export const givesLongText = () => '\u00e9'.repeat((32 << 20) + 1); // two bytes each
export async function givesLongLater() { await null; return tooLong(); }
export function* yieldsLong() { yield 'first'; yield tooLong(); }
export async function* yieldsLongLater() { yield 'first'; yield tooLong(); }
export async function writesLong(request, response) { response.write('first'); await response.write(tooLong()); }
export async function cuts(request, response) {
    try {
        await response.write(tooLong());
    } catch (refused) {
        response.write(`${refused instanceof globalThis.cocaine.ChunkTooLong} ${refused.message}`);
    }
    response.write('in pieces');
}
export const failures = {
    null: () => null,
    undefined: () => undefined,
    symbol: () => Symbol('s'),
    bigint: () => 5n,
    proxy: () => new Proxy({}, Object.fromEntries(['get', 'getPrototypeOf', 'has', 'ownKeys', 'getOwnPropertyDescriptor']
        .map((trap) => [trap, () => { throw new Error('trap'); }]))),
    getter: () => Object.defineProperty(new Error(), 'message', { get() { throw new Error('inner'); } }),
    name: () => Object.assign(new Error('text'), { name: Symbol('name') }),
    inspect: () => ({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('in inspect'); } }),
    bare: () => Object.create(null),
    revoked: () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; },
    function: () => () => {},
    huge: () => new Error('x'.repeat(70 << 20)),
    nested: () => ({ reason: new Error('nested') }),
    recursion: () => { const deep = () => deep(); deep(); },
};

const raise = (name) => { throw failures[name](); };

export const fails = (request) => raise(String(request));
export async function rejects(request) { await null; raise(String(request)); }
export function* failsLate(request) { yield 'first'; raise(String(request)); }
export async function* rejectsLate(request) { yield 'first'; await null; raise(String(request)); }
export async function failsStreaming(request) { raise(String(await request.read())); }
export const thenable = (request) => ({ then(resolve, reject) { reject(failures[String(request)]()); } });
export const badThen = () => ({ get then() { throw new Error('then'); } });
export async function failsCancelled(request, response) {
    response.write('waiting');
    await new Promise((resolve) => { request.signal.addEventListener('abort', resolve); });
    raise('proxy');
}

// Never end, and do not look at their signal.
export async function forever(request, response) { response.write('waiting'); await new Promise(() => {}); }
export async function* foreverLate() { yield 'waiting'; await new Promise(() => {}); }
export async function slowly(request, response) {
    response.write('waiting');
    await new Promise((resolve) => { kept.push(resolve); });
    try { response.write('late'); } catch (failure) { console.error(`slowly: ${failure.name}`); }
    return 'late';
}
export async function spins(request, response) {
    await response.write('waiting');
    await new Promise((resolve) => { setTimeout(resolve, 10); }); // the chunk leaves
    process.stderr.write('spins now\n');
    for (;;);
}
export const release = () => { kept.splice(0).forEach((resolve) => resolve()); return current().event; };

// A response of a call that is over, and in a thread.
let old;
export async function keeps(request, response) { old = response; response.write('kept'); }
export const writesLate = () => {
    try { old.write('late'); return 'was taken'; } catch (failure) { return failure.message; }
};
export async function inThread(request, response) {
    const worker = new Worker(`const { parentPort, workerData } = require('node:worker_threads');
        try { workerData.write('torn'); parentPort.postMessage('was taken'); } catch (failure) { parentPort.postMessage(failure.message); }`,
    { eval: true, workerData: response });
    return new Promise((resolve) => { worker.on('message', resolve); });
}
