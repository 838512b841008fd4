'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { Extension, Truncated, decode, decodeFrom, encode } = require('../lib/msgpack.js');

test('values come back', () => {
    const values = [null, true, false, 0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -32, -33, -128, -129, -32768, -32769,
        -2147483648, -2147483649, 1.5, -0.1, Number.MAX_SAFE_INTEGER, 2n ** 63n, -(2n ** 63n), '', 'grüß', 'x'.repeat(31), 'x'.repeat(32),
        'x'.repeat(70000), Buffer.alloc(0), Buffer.alloc(255, 1), Buffer.alloc(256, 2), Buffer.alloc(70000, 3), [], [1, [2, [3]]],
        Array.from({ length: 70000 }, (_, i) => i & 7), { a: 1, b: { c: [] } }, new Extension(-3, Buffer.from('four')),
        new Extension(5, Buffer.from('three'.repeat(60)))];
    for (const value of values) {
        assert.deepEqual(decode(encode(value)), value);
    }
});

test('forms are the shortest', () => {
    assert.deepEqual(encode([1, -1, 200, -200, 'a', Buffer.from('b'), 1.5]),
        Buffer.from('9701ffccc8d1ff38a161c40162cb3ff8000000000000', 'hex'));
    assert.deepEqual(encode(new Map([[1, 2]])), Buffer.from('810102', 'hex'));
});

test('cut data says how much it wants, and nothing is made up', () => {
    const whole = encode({ key: [1, 'two', Buffer.alloc(300), { x: 1.5 }] });
    for (let size = 0; size < whole.length; size++) {
        assert.throws(() => decodeFrom(whole.subarray(0, size), 0, true), (failure) => failure instanceof Truncated && failure.need > size);
    }
    assert.throws(() => decode(Buffer.from('ddffffffff', 'hex')), Truncated);
    assert.throws(() => decode(Buffer.from('c1', 'hex')), TypeError);
    assert.throws(() => decode(Buffer.alloc(100, 0x91)), /nested deeper/);
    assert.throws(() => decode(Buffer.from('0101', 'hex')), /follow/);
});

test('a map cannot reach a prototype', () => {
    const value = decode(encode(new Map([['__proto__', 1]])));
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal({}.polluted, undefined);
});
