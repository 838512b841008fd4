import { setTimeout as sleep } from 'node:timers/promises';

const { current, Cancelled } = globalThis.cocaine;
let other;

export const echo = (request) => request;
export const text = () => 'grüß';
export const nothing = () => undefined;
export const listed = () => ['a', Buffer.from('b'), new Uint8Array([99])];
export const number = () => 5;
export const late = async (request) => { await sleep(1); return request; };
export const promised = (request) => Promise.resolve(request);
export function* count(request) { for (let i = 0; i < Number(request); i++) yield String(i); }
export async function* slowly(request) { for (const word of String(request).split(' ')) { await sleep(0); yield word; } }
export const raises = () => { throw new TypeError('text'); };
export async function rejects() { await null; throw new Error('async text'); }
export function* raisesLate() { yield 'first'; throw new Error('later'); }
export async function floats() { Promise.reject(new Error('floating')); await new Promise(() => {}); }
export async function throwsInTimer() { setTimeout(() => { throw new Error('in a timer'); }); await new Promise(() => {}); }
export async function relay(request, response) { for await (const chunk of request) await response.write(`<${chunk}>`); }
export async function refuses(request, response) { response.error(77, 'mine'); }
export async function meet(request) {
    if (other) { other(String(request)); return 'second'; }
    return 'first met ' + await new Promise((resolve) => { other = resolve; });
}
export async function waits(request, response) {
    request.signal.addEventListener('abort', () => console.error('signalled'));
    response.write('waiting');
    try { await request.read(); } catch (failure) {
        console.error(`waits: ${failure instanceof Cancelled}`);
        throw failure;
    }
}
export function* endless() { try { for (;;) yield 'x'; } finally { console.error('endless was closed'); } }
export async function aborted() { await sleep(60_000, undefined, { signal: current().signal }); }
export const who = () => JSON.stringify([current().event, current().app, String(current().traceId),
    current().headers.map(([n, v]) => [n, v.toString('latin1')])]);
export const ids = () => [current().traceId, current().spanId, current().parentId, current().header('x'), current().header('y')].join();
export const idsOfStream = (request, response) =>
    [request.traceId, request.spanId, request.parentId, request.header('x'), response.cancelled].join();
export async function asks(request, response) {
    response.write(`${request.cancelled} ${response.cancelled} ${current().cancelled}`);
    await new Promise((resolve) => { response.signal.addEventListener('abort', resolve); });
    console.error(`asks: ${request.cancelled} ${response.cancelled} ${current().cancelled}`);
}
export const refusesLong = async (request, response) => response.error(7, String(await request.body()).repeat(5000));
export async function whoLater() { await sleep(1); return current().event; }
export const hidden = () => { throw Object.defineProperty(new Error(), 'message', { get() { throw new Error('inner'); } }); };
export async function size(request, response) {
    await sleep(50); // more comes than is kept
    let total = 0;
    for await (const chunk of request) { total += chunk.length; }
    response.write(String(total));
}
export async function holds(request, response) {
    response.write('holding');
    await new Promise((resolve) => { process.once('SIGUSR1', resolve); });
    let total = 0;
    for await (const chunk of request) { total += chunk.length; }
    response.write(String(total));
}
export const who2 = (request) => sleep(1).then(() => current()?.event);
export class Thing {}
export const notAFunction = 5;

let request;

export function keep(data) {
    request = data;
    return `${data.length}`;
}

export function kept() {
    return request;
}
