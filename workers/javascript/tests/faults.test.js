'use strict';

// However a handler fails, or does not end: its call is ended once, the worker lives and answers the others.

const assert = require('node:assert/strict');
const test = require('node:test');
const { FakeNode } = require('./fake-node.js');

const NAMES = ['null', 'undefined', 'symbol', 'bigint', 'proxy', 'getter', 'name', 'inspect', 'bare', 'revoked', 'function', 'huge',
    'nested', 'recursion'];
const CANCELLED = [1000, 502, 'cancelled'];

async function on(t, env) {
    const node = await FakeNode.start('faults.mjs', env);
    t.after(() => node.stop());
    return node;
}

async function endsWell(node) {
    node.send([1, 1, [1, 'bye']]);
    assert.equal(await node.exited, 0, node.stderr);
}

function cancel(node, number) {
    node.send([number, 1, [[1000, 520], 'deadline']]);
}

async function waiting(node, event) {
    const number = node.invoke(event);
    assert.equal(await node.chunk(number), 'waiting');
    return number;
}

test('however a handler fails', async (t) => {
    const node = await on(t);
    for (const name of NAMES) {
        for (const event of ['fails', 'rejects', 'failsLate', 'rejectsLate', 'failsStreaming', 'thenable']) {
            const [chunks, error] = await node.call(event, name);
            assert.deepEqual(chunks.map(String), event.endsWith('Late') ? ['first'] : []);
            assert.deepEqual(error.slice(0, 2), [1000, 502], `${event} ${name}`);
            assert.ok(error[2].length > 0 && error[2].length <= 4096, `${event} ${name}: ${error[2]}`);
            assert.doesNotMatch(error[2], /\n\s+at |\//, 'no stack and no folders to callers');
        }
    }
    assert.match((await node.call('badThen'))[1][2], /^Error: then$/);
    for (let i = 0; i < 40; i++) {
        await node.call('plain', 'x');
    }
    const numbers = Array.from({ length: 100 }, (_, i) => node.invoke('fails', NAMES[i % 5]));
    for (const number of numbers) {
        assert.equal((await node.answer(number))[1][1], 502);
    }
    await endsWell(node);
});

test('chunks that are too long', async (t) => {
    const node = await on(t);
    const text = (size) => `a chunk has at most 67108864 bytes, and this one has ${size}: write it in pieces`;
    for (let i = 0; i < 40; i++) {
        await node.call('givesLong', ''); // from then on its answers are collected
    }
    for (const event of ['givesLong', 'givesLongText', 'givesLongLater', 'yieldsLong', 'yieldsLongLater', 'writesLong']) {
        const [chunks, error] = await node.call(event, '');
        assert.deepEqual(chunks.map(String), /^(yields|writes)/.test(event) ? ['first'] : [], event);
        assert.deepEqual(error, [1000, 413, `ChunkTooLong: ${text((64 << 20) + (event === 'givesLongText' ? 2 : 1))}`], event);
    }
    assert.deepEqual((await node.call('cuts', ''))[0].map(String), [`true ${text((64 << 20) + 1)}`, 'in pieces']);
    await endsWell(node);
});

test('a cancelled handler that throws what cannot be looked at', async (t) => {
    const node = await on(t);
    const number = await waiting(node, 'failsCancelled');
    cancel(node, number);
    assert.equal((await node.answer(number))[1][1], 502);
    await endsWell(node);
});

test('a handler that waits for ever is given up after its cancel', async (t) => {
    const node = await on(t);
    for (const event of ['forever', 'foreverLate']) {
        const number = await waiting(node, event);
        cancel(node, number);
        assert.deepEqual(await node.answer(number), [[], CANCELLED]);
        assert.match(node.stderr, new RegExp(`'${event}' goes on though its caller gave up`));
    }
    const number = await waiting(node, 'slowly');
    cancel(node, number);
    assert.deepEqual(await node.answer(number), [[], CANCELLED]);
    assert.deepEqual(await node.call('release'), [[Buffer.from('release')], undefined]);
    await node.until(() => node.stderr.includes('slowly: Cancelled'));
    assert.equal(node.inbox.get(number), undefined, 'nothing more on a channel that has ended');
    await endsWell(node);
});

test('those that are given up have a bound', async (t) => {
    const node = await on(t);
    const numbers = [];
    for (let i = 0; i < 257; i++) {
        numbers.push(node.invoke('slowly'));
    }
    for (const number of numbers) {
        assert.equal(await node.chunk(number), 'waiting');
        cancel(node, number);
    }
    const ended = () => numbers.filter((number) => node.inbox.get(number)?.length > 0).length;
    await node.until(() => ended() >= 256);
    assert.deepEqual(await node.call('plain', 'x'), [[Buffer.from('x')], undefined]);
    assert.equal(ended(), 256, 'the last one stays open: the node ends such a worker');
    await node.call('release');
    await node.until(() => ended() === 257);
    const again = await waiting(node, 'forever');
    cancel(node, again);
    assert.deepEqual(await node.answer(again), [[], CANCELLED], 'those that came to their end count no more');
    await endsWell(node);
});

test('a call that is over takes nothing, a thread cannot have its response', async (t) => {
    const node = await on(t);
    assert.deepEqual((await node.call('keeps'))[0].map(String), ['kept']);
    assert.deepEqual((await node.call('writesLate'))[0].map(String), ['the response has ended']);
    const [chunks, error] = await node.call('inThread');
    assert.match(error === undefined ? String(chunks[0]) : error[2], /is not a function|could not be cloned/);
    await endsWell(node);
});

test('SIGUSR2 names the calls that wait', async (t) => {
    const node = await on(t);
    await waiting(node, 'forever');
    node.process.kill('SIGUSR2');
    await node.until(() => /1 call\(s\) wait for something\n {2}forever, for \d+ ms\n/.test(node.stderr));
    assert.deepEqual(await node.call('plain', 'x'), [[Buffer.from('x')], undefined]);
});

test('SIGINT shows a busy loop, as the node starts workers', async (t) => {
    const node = await on(t, { NODE_OPTIONS: '--trace-sigint' });
    await waiting(node, 'spins');
    await node.until(() => node.stderr.includes('spins now'));
    node.process.kill('SIGINT');
    await node.exited;
    assert.match(node.stderr, /KEYBOARD_INTERRUPT[^]*at spins /);
});
