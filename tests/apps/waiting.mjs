// Handlers that wait beside each other, and one that computes.

import { setTimeout as sleep } from 'node:timers/promises';

export async function wait(ms) {
    await sleep(Number(ms));
    return 'waited';
}

// The answer is the process that computed.
export function compute(ms) {
    for (const until = performance.now() + Number(ms); performance.now() < until;);
    return String(process.pid);
}
