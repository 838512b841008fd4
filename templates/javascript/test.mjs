// Run it with node: it needs no node of Cocaine.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello } from './app.mjs';

test('hello', () => {
    assert.equal(hello(Buffer.from('you')), 'hello, you');
    assert.equal(hello(Buffer.alloc(0)), 'hello, world');
});
