'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const test = require('node:test');
const { FakeNode } = require('./fake-node.js');
const { UNREAD_BYTES } = require('../lib/limits.js');
const { decode, encode } = require('../lib/msgpack.js');

async function on(t, app = 'app.mjs', env, abilities) {
    const node = await FakeNode.start(app, env, abilities);
    t.after(() => node.stop());
    return node;
}

async function gives(node, expected, event, ...chunks) {
    const [answer, error] = await node.call(event, ...chunks);
    assert.equal(error, undefined);
    assert.deepEqual(answer.map(String), expected);
}

async function endsWell(node) {
    node.send([1, 1, [1, 'bye']]);
    assert.equal(await node.exited, 0, node.stderr);
}

test('requests and answers', async (t) => {
    const node = await on(t);
    assert.deepEqual((await node.until(() => node.inbox.get(1)))[0], [0, [Buffer.from('u-1'), { flow: 1, concurrency: 64 }]]);
    for (let i = 0; i < 40; i++) {
        await gives(node, ['data'], 'echo', 'data');
    }
    await gives(node, [''], 'echo');
    await gives(node, ['chunk by chunk'], 'echo', 'chunk ', 'by ', 'chunk');
    await gives(node, ['grüß'], 'text');
    await gives(node, [], 'nothing');
    await gives(node, ['a', 'b', 'c'], 'listed');
    await gives(node, ['x'], 'late', 'x');
    await gives(node, ['y'], 'promised', 'y');
    await gives(node, ['y'], 'promised', 'y');
    await gives(node, ['0', '1', '2'], 'count', '3');
    await gives(node, ['a', 'b'], 'slowly', 'a b');
    await node.until(() => node.heartbeats);
    await endsWell(node);
});

test('every size, and many at once', async (t) => {
    const node = await on(t);
    for (const size of [0, 1, 31, 32, 255, 256, 16383, 16384, 65535, 65536, 300_000, 5_000_000]) {
        const data = Buffer.alloc(size, 'abc');
        assert.deepEqual(await node.call('echo', data), [[data], undefined]);
    }
    const numbers = Array.from({ length: 3000 }, (_, i) => node.invoke(['echo', 'late', 'promised'][i % 3], `${i}`));
    for (const [i, number] of numbers.entries()) {
        assert.equal(String((await node.answer(number))[0][0]), `${i}`);
    }
    await gives(node, Array.from({ length: 20_000 }, (_, i) => `${i}`), 'count', '20000');
});

test('a request stays what it was', async (t) => {
    const node = await on(t);
    for (const size of [100, 20_000, 600_000]) {
        const data = Buffer.alloc(size, 'kept');
        const number = node.invoke('keep', data);
        const others = Array.from({ length: 20 }, () => node.invoke('echo', Buffer.alloc(100_000, 'other')));
        assert.equal(String((await node.answer(number))[0][0]), `${size}`);
        for (const other of others) {
            await node.answer(other);
        }
        assert.deepEqual(await node.call('kept'), [[data], undefined]);
    }
});

test('errors', async (t) => {
    const node = await on(t);
    for (let i = 0; i < 20; i++) {
        assert.deepEqual(await node.call('raises'), [[], [1000, 502, 'TypeError: text']]);
    }
    assert.deepEqual(await node.call('rejects'), [[], [1000, 502, 'Error: async text']]);
    assert.deepEqual(await node.call('raisesLate'), [[Buffer.from('first')], [1000, 502, 'Error: later']]);
    assert.deepEqual(await node.call('number'), [[], [1000, 502, 'TypeError: a handler gives bytes, text or an iterable of them, not number']]);
    for (let i = 0; i < 40; i++) {
        assert.match((await node.call('number', 'x'))[1][2], /not number$/);
    }
    assert.equal((await node.call('hidden', 'x'))[1][1], 502);
    assert.deepEqual(await node.call('refuses'), [[], [42, 77, 'mine']]);
    assert.deepEqual(await node.call('floats'), [[], [1000, 502, 'Error: floating']]);
    assert.deepEqual(await node.call('throwsInTimer'), [[], [1000, 502, 'Error: in a timer']]);
    for (const event of ['zork', 'Thing', 'notAFunction', 'constructor', '__proto__', 'default', '']) {
        assert.deepEqual((await node.call(event))[1], [1000, 404, `there is no event '${event}' in app 'test'`]);
    }
    assert.match(node.stderr, /TypeError: text\n    at /);
    await gives(node, ['on'], 'echo', 'on');
});

test('streams both ways, side by side', async (t) => {
    const node = await on(t);
    const relay = node.open('relay');
    for (const chunk of ['one', 'two']) {
        node.send([relay, 0, [chunk]]);
        assert.equal(await node.chunk(relay), `<${chunk}>`);
        await gives(node, ['meanwhile'], 'echo', 'meanwhile');
    }
    node.send([relay, 2, []]);
    assert.deepEqual(await node.answer(relay), [[], undefined]);
    const first = node.invoke('meet', '1'), second = node.invoke('meet', '2');
    assert.equal(String((await node.answer(first))[0][0]), 'first met 2');
    assert.equal(String((await node.answer(second))[0][0]), 'second');
});

/** The worker's peak, in bytes. */
function mostMemory(node) {
    return Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${node.process.pid}/status`, 'utf8'))[1]) << 10;
}

test('a reader that is slow holds the node back, and gets all', async (t) => {
    const node = await on(t, 'app.mjs', { COCAINE_HEARTBEAT_MS: '20' }, {});
    const number = node.open('holds');
    assert.equal(await node.chunk(number), 'holding');
    const before = mostMemory(node);
    const chunk = encode([number, 0, [Buffer.alloc(1 << 20)]]);
    let taken = 0, seen = 0, turns = 0; // without a chunk that was taken, each with a heartbeat at least
    const sending = (async () => {
        for (; taken < 120; taken++, turns = 0) {
            await new Promise((resolve) => { node.socket.write(chunk, resolve); });
        }
        node.send([number, 2, []]);
    })();
    await node.until(() => {
        turns += node.heartbeats > seen ? 1 : 0;
        seen = node.heartbeats;
        return taken === 120 || turns > 20;
    });
    assert.ok(taken < 60, `${taken} chunks were taken`);
    assert.ok(mostMemory(node) - before < 4 * UNREAD_BYTES, 'what is unread, and what the collector has not come to');
    node.process.kill('SIGUSR1');
    await sending;
    assert.deepEqual(await node.answer(number), [[Buffer.from(`${120 << 20}`)], undefined]);
    await gives(node, ['on'], 'echo', 'on');
});

test('a cancel is seen', async (t) => {
    const node = await on(t);
    const cancelled = [1000, 502, 'cancelled'];
    const waits = node.open('waits');
    assert.equal(await node.chunk(waits), 'waiting');
    node.send([waits, 1, [[1000, 520], 'deadline']]);
    assert.deepEqual(await node.answer(waits), [[], cancelled]);
    await node.until(() => node.stderr.includes('signalled') && node.stderr.includes('waits: true'));
    const endless = node.invoke('endless');
    await node.chunk(endless);
    node.send([endless, 1, [[1000, 520], 'deadline']]);
    assert.deepEqual((await node.answer(endless))[1], cancelled);
    await node.until(() => node.stderr.includes('endless was closed'));
    const aborted = node.invoke('aborted');
    node.send([aborted, 1, [[1000, 520], 'deadline']]);
    assert.deepEqual(await node.answer(aborted), [[], cancelled]);
    const never = node.open('echo');
    node.send([never, 0, ['part']], [never, 1, [[1000, 520], 'before it began']]);
    assert.deepEqual(await node.answer(never), [[], cancelled]);
    node.send([never, 0, ['late']], [never, 2, []]);
    await endsWell(node);
});

test('whoever asks sees that the call is cancelled', async (t) => {
    const node = await on(t);
    const number = node.open('asks');
    assert.equal(await node.chunk(number), 'false false false');
    node.send([number, 1, [[1000, 520], 'deadline']]);
    await node.answer(number);
    await node.until(() => node.stderr.includes('asks: true true true'));
});

test('a long text of an error is cut at a character', async (t) => {
    const node = await on(t);
    for (const [letter, size] of [['x', 4096], ['ü', 4096], ['€', 4095], ['😀', 4096]]) {
        const [, [, code, text]] = await node.call('refusesLong', letter);
        assert.deepEqual([code, Buffer.from(text).length, text.replaceAll(letter, '')], [7, size, '']);
    }
});

test('what a call knows', async (t) => {
    const node = await on(t);
    const bare = JSON.parse((await node.call('who'))[0][0]);
    assert.deepEqual(bare, ['who', 'test', '0', ['trace_id', 'span_id', 'parent_id'].map((name) => [name, '\0'.repeat(8)])]);
    const number = node.open('who', {
        headers: [[false, 80, Buffer.from('0700000000000000', 'hex')], [false, Buffer.from('x'), Buffer.from('y')], 2, null],
    });
    node.send([number, 2, []]);
    const told = JSON.parse((await node.answer(number))[0][0]);
    assert.equal(told[2], '7');
    assert.deepEqual(told[3].slice(1), [['x', 'y'], [':method', 'GET']]);
    const headers = [[false, 80, Buffer.from('0700000000000000', 'hex')], [false, Buffer.from('span_id'), Buffer.from('8')],
        [false, 82, Buffer.from('0900000000000000', 'hex')], [false, Buffer.from('x'), Buffer.from('first')],
        [false, Buffer.from('x'), Buffer.from('second')]];
    for (const [event, expected] of [['ids', '7,8,9,first,'], ['idsOfStream', '7,8,9,first,false']]) {
        const called = node.open(event, { headers });
        node.send([called, 2, []]);
        assert.equal(String((await node.answer(called))[0][0]), expected);
    }
    await gives(node, ['0,0,0,,'], 'ids');
    await gives(node, ['whoLater'], 'whoLater');
    await gives(node, ['who2'], 'who2', 'x');
});

test('every form of a message, cut anywhere', async (t) => {
    const node = await on(t);
    const fixed = Buffer.from('cf0000000000000002', 'hex');
    const odd = Buffer.concat([Buffer.of(0x95), fixed, Buffer.from('d00091d9046563686fc0c3dc0003', 'hex'), fixed,
        Buffer.from('0091a26869', 'hex'), Buffer.of(0x94), fixed, Buffer.from('cc02dc0000c0', 'hex')]);
    node.isMidMessage = true;
    for (const byte of odd) {
        node.socket.write(Buffer.of(byte));
        await new Promise(setImmediate);
    }
    node.isMidMessage = false;
    assert.deepEqual(await node.answer(2), [[Buffer.from('hi')], undefined]);
    for (node.next of [120, 250, 65530, 0xfffffff0, 2 ** 40]) {
        for (let i = 0; i < 40; i++) {
            await gives(node, [`${i}`], 'echo', `${i}`);
        }
    }
});

test('terminate finishes what runs', async (t) => {
    const node = await on(t);
    const relay = node.open('relay');
    node.send([1, 1, [1, 'bye']], [relay, 0, ['x']]);
    assert.equal(await node.chunk(relay), '<x>');
    node.send([relay, 2, []]);
    assert.deepEqual(await node.answer(relay), [[], undefined]);
    assert.equal(await node.exited, 0);
});

test('a node that is gone, and one that is broken', async (t) => {
    const gone = await on(t);
    gone.open('waits');
    gone.socket.destroy();
    assert.equal(await gone.exited, 0);
    for (const message of [[1, 7, []], [99, 2, []], [2, 0, []], ['x', 0, []], {}]) {
        const node = await on(t);
        node.send(message);
        assert.equal(await node.exited, 70, node.stderr);
        assert.match(node.stderr, /broke the protocol/);
    }
});

test('apps that cannot be loaded', async (t) => {
    const missing = await on(t, 'broken.mjs');
    assert.equal(await missing.exited, 1);
    assert.match(missing.stderr, /nowhere\.mjs/);
    const wrong = await on(t, 'syntax.mjs');
    assert.equal(await wrong.exited, 1);
    assert.match(wrong.stderr, /SyntaxError/);
});

test('CommonJS', async (t) => {
    const node = await on(t, 'common.cjs');
    await gives(node, ['> hi'], 'say', 'hi');
    const [[sum]] = await node.call('sum', encode([1, 2, 3]));
    assert.equal(decode(sum), 6);
    assert.equal((await node.call('prefix'))[1][1], 404);
});
