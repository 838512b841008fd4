'use strict';

// The SDK's modules use each other in one direction.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const LIB = path.join(__dirname, '../lib');

/** The module's neighbours that it requires or imports, wherever that stands. */
function importsOf(file) {
    const text = fs.readFileSync(path.join(LIB, file), 'utf8').replace(/^\s*\/\/.*$/gm, '');
    return [...text.matchAll(/(?:require|import)\(\s*'\.\/([^']+)'\s*\)|from\s+'\.\/([^']+)'/g)].map((match) => match[1] ?? match[2]);
}

/** Groups of modules that reach each other, of two or more. */
function circles(graph) {
    const reach = (start) => {
        const seen = new Set(), todo = [start];
        while (todo.length > 0) {
            for (const other of graph[todo.pop()]) {
                if (!seen.has(other)) {
                    seen.add(other);
                    todo.push(other);
                }
            }
        }
        return seen;
    };
    const reached = Object.fromEntries(Object.keys(graph).map((file) => [file, reach(file)]));
    return Object.keys(graph).filter((file) => reached[file].has(file))
        .map((file) => [...reached[file]].filter((other) => reached[other].has(file)).sort());
}

test('no circle of imports', () => {
    const files = fs.readdirSync(LIB).filter((file) => file.endsWith('.js'));
    const graph = Object.fromEntries(files.map((file) => [file, importsOf(file)]));
    assert.ok(graph['session.js'].includes('input.js'));
    assert.deepEqual(Object.values(graph).flat().filter((file) => !files.includes(file)), []);
    assert.deepEqual(circles(graph), []);
});

test('a circle would be seen', () => {
    assert.deepEqual(circles({ a: ['b'], b: ['c', 'a'], c: [] }), [['a', 'b'], ['a', 'b']]);
});
