'use strict';

// What the worker knows and apps ask for. One for the whole process, though an app may have a copy of this package in its node_modules.

const { AsyncLocalStorage } = require('node:async_hooks');

const KEY = Symbol.for('cocaine.worker');

exports.state = globalThis[KEY] ??= {
    worker: { app: undefined, uuid: undefined, version: 0 },
    calls: new AsyncLocalStorage(), // the channel of what runs, through every await
    quick: undefined,               // the call of a plain function that runs right now, without a channel
    current() {
        return this.quick ?? this.calls.getStore();
    },
};
