'use strict';

// The runner for apps without a node.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { AppError, Runner } = require('../lib/testing.js');

const APP = path.join(__dirname, 'apps/app.mjs');

function run(words, input = '') {
    return spawnSync(process.execPath, [path.join(__dirname, '../lib/testing.js'), ...words], { input, encoding: 'utf8', timeout: 60_000 });
}

test('calls', async () => {
    const runner = await Runner.load(APP);
    assert.deepEqual((await runner.call('listed')).chunks.map(String), ['a', 'b', 'c']);
    assert.equal(String((await runner.call('echo', 'a', Buffer.from('bc'))).body), 'abc');
    for (let i = 0; i < 40; i++) { // before and after the handler has proved to be quick
        assert.equal(String((await runner.call('echo', `${i}`)).body), `${i}`);
    }
    assert.deepEqual((await runner.call('relay', '1', '2')).chunks.map(String), ['<1>', '<2>']);
    assert.deepEqual((await runner.call('slowly', 'a b')).chunks.map(String), ['a', 'b']);
    const data = Buffer.alloc(3 << 20, 'abc');
    assert.deepEqual((await runner.call('echo', data)).body, data);
    assert.equal((await runner.call('whoLater')).body.toString(), 'whoLater');
});

test('errors', async () => {
    const runner = await Runner.load(APP, { name: 'mine' });
    const late = await runner.call('raisesLate');
    assert.deepEqual([late.chunks.map(String), late.error.category, late.error.code, late.error.reason],
        [['first'], 1000, 502, 'Error: later']);
    const none = await runner.call('zork');
    assert.equal(none.error.reason, 'there is no event \'zork\' in app \'mine\'');
    const refused = await runner.call('refuses');
    assert.throws(() => refused.body, (error) => error instanceof AppError && error.message === 'error 42.77: mine');
});

test('headers, a request that comes slowly, chunks as they come', async () => {
    const runner = await Runner.load(APP);
    const told = JSON.parse((await runner.stream('who', [], { headers: [['trace_id', '7'], ['x', Buffer.from('y')]] })).body);
    assert.deepEqual([told[2], told[3].at(-1)], ['7', ['x', 'y']]);
    const came = [];
    async function* echoing() { // each chunk is sent when the last one has been answered
        for (const word of ['one', 'two', 'three']) {
            const before = came.length;
            yield word;
            while (came.length === before) {
                await new Promise(setImmediate);
            }
        }
    }
    await runner.stream('relay', echoing(), { onChunk: (chunk) => came.push(String(chunk)) });
    assert.deepEqual(came, ['<one>', '<two>', '<three>']);
});

test('a reader that is slow gets all', async () => {
    const runner = await Runner.load(APP);
    const chunk = Buffer.alloc(1 << 20);
    assert.equal((await runner.stream('size', Array(60).fill(chunk))).body.toString(), `${60 << 20}`);
});

test('a caller that gives up, and one whose request fails', async () => {
    const runner = await Runner.load(APP);
    const controller = new AbortController();
    async function* endless() { await new Promise(() => {}); yield 'never'; }
    const answer = await runner.stream('waits', endless(), { signal: controller.signal, onChunk: () => controller.abort() });
    assert.deepEqual([answer.chunks.map(String), answer.error.reason], [['waiting'], 'cancelled']);
    assert.equal((await runner.stream('echo', ['x'], { signal: AbortSignal.abort() })).error.reason, 'cancelled');
    await assert.rejects(runner.stream('relay', (function* () { yield 'x'; throw new Error('no request'); })()), /no request/);
});

test('the program', () => {
    const echo = run([APP, 'echo'], 'data');
    assert.deepEqual([echo.status, echo.stdout], [0, 'data']);
    assert.equal(run(['--lines', APP, 'relay'], 'a\nb\n').stdout, '<a\n><b\n>');
    assert.match(run([APP, 'who', '--header', 'x=7']).stdout, /\["x","7"\]/);
    const failed = run([APP, 'raises']);
    assert.deepEqual([failed.status, failed.stdout], [1, '']);
    assert.match(failed.stderr, /TypeError: text\n[^]*error 1000\.502: TypeError: text\n$/);
    assert.match(run([path.join(__dirname, 'apps/broken.mjs'), 'event']).stderr, /nowhere\.mjs/);
    assert.equal(run([]).status, 2);
});
