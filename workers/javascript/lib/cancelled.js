'use strict';

const KEY = Symbol.for('cocaine.Cancelled');

/** The caller gave up: nobody reads this answer any more. One class, however many copies of this package there are. */
exports.Cancelled = globalThis[KEY] ??= class Cancelled extends Error {
    constructor() {
        super('the caller gave up');
        this.name = 'Cancelled';
    }
};
