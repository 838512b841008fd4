'use strict';

// What is begun: calls that stand on the socket begin as the page beside it says, and not when the node has taken them back.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { FakeNode } = require('./fake-node.js');

const BEATS = 10; // of 20 ms, in which something would have come

/** The node's side of a page. */
class Page {
    constructor({ magic = 'CBEGIN01', size = 4096, most = 1 } = {}) {
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'begin-'));
        this.descriptor = fs.openSync(path.join(this.folder, 'page'), 'w+');
        fs.ftruncateSync(this.descriptor, size);
        fs.writeSync(this.descriptor, magic, 0);
        this.#write(most, 60);
    }

    get begun() {
        const words = Buffer.alloc(16);
        fs.readSync(this.descriptor, words, 0, 16, 3072);
        assert.equal(words.readBigUInt64LE(0), words.readBigUInt64LE(8));
        return Number(words.readBigUInt64LE(0));
    }

    set recall(count) {
        this.#write(count, 3200);
    }

    #write(value, at) {
        const word = Buffer.alloc(4);
        word.writeUInt32LE(value);
        fs.writeSync(this.descriptor, word, 0, 4, at);
    }
}

const ON = process.arch === 'x64' ? {} : { skip: 'the page is for x86-64' };

async function on(t, page, abilities = { flow: 1, begin: 1 }) {
    const env = { COCAINE_HEARTBEAT_MS: '20', COCAINE_BEGIN_PAGE: '3' };
    const node = await FakeNode.start('begin.mjs', env, abilities, page.descriptor);
    t.after(() => {
        node.stop();
        fs.closeSync(page.descriptor);
        fs.rmSync(page.folder, { recursive: true });
    });
    await node.until(() => node.heartbeats > 0);
    return node;
}

const offerOf = (node) => Object.keys(node.inbox.get(1)[0][1][1]);
const hasAnswer = (node, number) => node.inbox.has(number);

async function beats(node) {
    const before = node.heartbeats;
    await node.until(() => node.heartbeats > before + BEATS);
}

async function endsWell(node) {
    node.send([1, 1, [1, 'bye']]);
    assert.equal(await node.exited, 0, node.stderr);
}

test('calls begin one after the other, and what the node takes back never begins', ON, async (t) => {
    const page = new Page(), node = await on(t, page);
    assert.equal(page.begun, 1);
    assert.deepEqual(offerOf(node), ['flow', 'begin', 'concurrency']);
    const slow = node.open('waits');
    const behind = ['a', 'b', 'c'].map((text) => node.invoke('echo', text));
    assert.equal(await node.chunk(slow), 'waiting');
    await beats(node);
    assert.equal(page.begun, slow);
    page.recall = 1;
    node.send([1, 3, [1, behind[1]]]);
    await beats(node);
    assert.ok(!behind.some((number) => hasAnswer(node, number)));
    node.send([slow, 2, []]);
    assert.deepEqual(await node.answer(behind[0]), [[Buffer.from('a')], undefined]);
    assert.deepEqual(await node.call('echo', 'd'), [[Buffer.from('d')], undefined]);
    assert.ok(!hasAnswer(node, behind[1]) && !hasAnswer(node, behind[2]));
    assert.equal(page.begun, behind[2] + 1);
    await endsWell(node);
});

test('nothing begins while the node takes calls back and has not said which', ON, async (t) => {
    const page = new Page({ most: 64 }), node = await on(t, page);
    for (let i = 0; i < 40; i++) {
        await node.call('echo', 'proven'); // from then on calls begin together
    }
    page.recall = 1;
    const calls = ['a', 'b', 'c'].map((text) => node.invoke('echo', text)), stream = node.open('waits');
    await beats(node);
    assert.ok(!calls.concat(stream).some((number) => hasAnswer(node, number)));
    node.send([1, 3, [1, calls[1]]]);
    assert.deepEqual(await node.answer(calls[0]), [[Buffer.from('a')], undefined]);
    await beats(node);
    assert.ok(!calls.slice(1).concat(stream).some((number) => hasAnswer(node, number)));
    await endsWell(node);
});

test('as many run side by side as the node lets', ON, async (t) => {
    const page = new Page({ most: 2 }), node = await on(t, page);
    const streams = [1, 2, 3].map(() => node.open('waits'));
    await node.until(() => hasAnswer(node, streams[1]));
    await beats(node);
    assert.ok(!hasAnswer(node, streams[2]));
    assert.equal(page.begun, streams[1]);
    node.send([streams[0], 2, []]);
    assert.equal(await node.chunk(streams[2]), 'waiting');
    node.send([streams[1], 2, []], [streams[2], 2, []]);
    await endsWell(node);
});

for (const [name, page] of [['size', { size: 8192 }], ['mark', { magic: 'CBEGIN99' }]]) {
    test(`a page of another ${name} is not used`, ON, async (t) => {
        const node = await on(t, new Page(page), { flow: 1 });
        assert.deepEqual(offerOf(node), ['flow', 'concurrency']);
        assert.deepEqual(await node.call('env'), [[Buffer.from('undefined')], undefined]);
        await endsWell(node);
    });
}

test('a page that the node does not grant is not used', ON, async (t) => {
    const page = new Page(), node = await on(t, page, { flow: 1 });
    const streams = [1, 2].map(() => node.open('waits'));
    assert.equal(await node.chunk(streams[1]), 'waiting');
    assert.equal(page.begun, 0);
    node.send(...streams.map((number) => [number, 2, []]));
    await endsWell(node);
});
