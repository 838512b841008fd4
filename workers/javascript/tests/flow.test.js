'use strict';

// Flow control of one channel: a writer whose caller is slow waits, and a reader that is slow lets the node wait; others go on.

const assert = require('node:assert/strict');
const test = require('node:test');
const { FakeNode } = require('./fake-node.js');
const { GO_ON_BYTES, HOLD_BYTES } = require('../lib/limits.js');

const CHUNKS = 400;
const LATE_BYTES = 3 << 20; // what may be under way when the node asks to hold: the socket's buffers, and what is written between two looks
const PART = Buffer.alloc(60_000, 'x');
const PARTS = Math.floor(HOLD_BYTES / PART.length) + 1;
const GONE = [[1000, 520], 'gone'];

async function on(t, abilities) {
    const node = await FakeNode.start('flow.mjs', { COCAINE_HEARTBEAT_MS: '20', NODE_OPTIONS: '--expose-gc' }, abilities);
    t.after(() => node.stop());
    return node;
}

async function endsWell(node) {
    node.send([1, 1, [1, 'bye']]);
    assert.equal(await node.exited, 0, node.stderr);
}

const received = (node, number) => (node.inbox.get(number) ?? []).length;

/** Until nothing has come on a channel for many heartbeats. How much has come so far. */
async function rests(node, number) {
    for (;;) {
        const before = received(node, number), beats = node.heartbeats;
        await node.until(() => node.heartbeats > beats + 15 || received(node, number) !== before);
        if (received(node, number) === before) {
            return before;
        }
    }
}

/** A call that writes much, and is held after its first chunk. */
async function held(node, event, count = CHUNKS) {
    const number = node.invoke(event, String(count));
    await node.until(() => received(node, number));
    node.hold(number);
    return number;
}

const numbersOf = (chunks) => chunks.map((chunk) => Number(chunk.subarray(0, 8)));
const allOf = (count) => Array.from({ length: count }, (_, i) => i);

for (const event of ['writes', 'yields', 'yieldsSmall', 'yieldsAsync', 'returns', 'promises']) {
    test(`a held writer waits and goes on in order: ${event}`, async (t) => {
        const node = await on(t);
        const count = event === 'yieldsSmall' ? 20_000 : CHUNKS;
        const number = await held(node, event, count);
        let came = await rests(node, number);
        const size = node.inbox.get(number).reduce((sum, [, [data]]) => sum + data.length, 0);
        assert.ok(came < count && size < LATE_BYTES, `${came} chunks, ${size} bytes`);
        for (let again = 0; again < 2; again++) {
            node.goOn(number);
            await node.until(() => received(node, number) > came);
            node.hold(number);
            came = await rests(node, number);
        }
        node.goOn(number);
        const [chunks, error] = await node.answer(number);
        assert.equal(error, undefined);
        assert.deepEqual(numbersOf(chunks), allOf(count));
        await endsWell(node);
    });
}

test('others go on', async (t) => {
    const node = await on(t);
    const numbers = [];
    for (let i = 0; i < 16; i++) {
        numbers.push(await held(node, ['writes', 'yields', 'yieldsAsync', 'returns'][i % 4]));
    }
    for (const number of numbers) {
        await rests(node, number);
    }
    assert.equal(String((await node.call('echo', 'on'))[0]), 'on');
    assert.equal(String((await node.call('sums', ...Array(20).fill(PART)))[0]), String(20 * PART.length));
    assert.equal((await node.call('writes', String(CHUNKS)))[0].length, CHUNKS);
    numbers.forEach((number) => node.goOn(number));
    for (const number of numbers) {
        assert.deepEqual(numbersOf((await node.answer(number))[0]), allOf(CHUNKS));
    }
    await endsWell(node);
});

test('cancel wakes a held writer', async (t) => {
    const node = await on(t);
    const number = await held(node, 'cancelled');
    await rests(node, number);
    node.send([number, 1, GONE]);
    assert.deepEqual((await node.answer(number))[1], [1000, 502, 'cancelled']);
    await node.until(() => node.stderr.includes('cancelled: true'));
    await endsWell(node);
});

test('writes that nobody awaits are not lost, and their cancel is no fault', async (t) => {
    const node = await on(t);
    const number = await held(node, 'careless');
    assert.equal(await rests(node, number), CHUNKS);
    node.send([number, 1, GONE]);
    assert.deepEqual((await node.answer(number))[1], [1000, 502, 'cancelled']);
    assert.doesNotMatch(node.stderr, /Cancelled/);
    assert.equal(String((await node.call('echo', 'on'))[0]), 'on');
});

test('the end is not held', async (t) => {
    const node = await on(t);
    for (const [event, error] of [['errs', [42, 7, 'mine']], ['closes', undefined]]) {
        const number = node.open(event);
        node.hold(number);
        node.send([number, 0, ['now']]);
        assert.deepEqual(await node.answer(number), [[], error]);
        node.send([number, 2, []]);
    }
    await endsWell(node);
});

test('terminate lets a held writer end its answer, and a node that goes takes it along', async (t) => {
    const node = await on(t);
    const number = await held(node, 'writes');
    await rests(node, number);
    node.send([1, 1, [1, 'bye']]);
    await rests(node, number);
    node.goOn(number);
    assert.equal((await node.answer(number))[0].length, CHUNKS);
    assert.equal(await node.exited, 0);
    const gone = await on(t);
    await held(gone, 'writes');
    gone.socket.destroy();
    assert.equal(await gone.exited, 0);
});

test('a slow reader asks at the thresholds', async (t) => {
    const node = await on(t);
    const step = () => node.process.kill('SIGUSR1');
    const number = node.open('steps');
    node.send(...Array(PARTS).fill([number, 0, [PART]]));
    await node.until(() => node.askedFlow(number).length);
    for (let left = PARTS - 1; left >= 0; left--) {
        step();
        assert.equal(await node.chunk(number), 'xxxxxxxx');
        assert.deepEqual(node.askedFlow(number), left * PART.length >= GO_ON_BYTES ? [1] : [1, 0]);
    }
    node.send([number, 2, []]);
    step();
    assert.deepEqual(await node.answer(number), [[], undefined]);
    const ended = node.invoke('steps', ...Array(PARTS).fill(PART));
    await node.until(() => node.askedFlow(ended).length);
    for (let i = 0; i < PARTS; i++) {
        step();
        assert.equal(await node.chunk(ended), 'xxxxxxxx');
    }
    step();
    assert.deepEqual(await node.answer(ended), [[], undefined]);
    assert.deepEqual(node.askedFlow(ended), [1]); // no go-on: all of the request has come
    await endsWell(node);
});

test('whole requests are never held', async (t) => {
    const node = await on(t);
    const number = node.open('echo');
    node.send(...Array(10).fill([number, 0, [PART]]));
    await rests(node, number);
    node.send([number, 2, []]);
    assert.equal((await node.answer(number))[0][0].length, 10 * PART.length);
    assert.deepEqual(node.askedFlow(number), []);
});

test('holds for what is not there, and messages of the wrong form', async (t) => {
    const node = await on(t);
    const ended = node.invoke('echo', 'x');
    await node.answer(ended);
    for (const number of [1, ended, 999, 2 ** 40, 2n ** 64n - 1n]) {
        node.hold(number);
        node.goOn(number);
    }
    node.socket.write(Buffer.from('93010292cf000000000000000301' + '93010292cc0300', 'hex'));
    assert.equal(String((await node.call('echo', 'on'))[0]), 'on');
    await endsWell(node);
    for (const args of [[], [2], [2, 2], [2, -1], [-2, 1], ['2', 1], [2, '1'], [2, 1, 1], [2, true], [2, null], [[2], 1]]) {
        const wrong = await on(t);
        wrong.send([1, 2, args]);
        assert.equal(await wrong.exited, 70, JSON.stringify(args));
        assert.match(wrong.stderr, /broke the protocol/);
    }
});

test('a node without it', async (t) => {
    const node = await on(t, {});
    assert.equal(String((await node.call('sums', ...Array(50).fill(PART)))[0]), String(50 * PART.length));
    assert.deepEqual(node.inbox.get(1).filter(([type]) => type !== 0), []);
    node.hold(node.open('sums'));
    assert.equal(await node.exited, 70);
});

test('nothing is kept of held channels', async (t) => {
    const node = await on(t);
    const memory = async () => Number((await node.call('used'))[0]);
    const calls = async (count) => {
        const numbers = Array.from({ length: count }, () => {
            const number = node.open('sums');
            node.hold(number);
            node.goOn(number);
            node.hold(number);
            node.send([number, 1, GONE]);
            return number;
        });
        for (const number of numbers) {
            await node.answer(number);
        }
    };
    await calls(2000);
    const before = await memory();
    for (let i = 0; i < 20; i++) {
        await calls(1000);
    }
    const bound = before + 20_000 * 100; // a channel has more than that; one that was cancelled is kept for GRACE_SECONDS
    for (const late = Date.now() + 10_000; await memory() > bound;) {
        assert.ok(Date.now() < late, `${await memory() - before} bytes more`);
    }
});
