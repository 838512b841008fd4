'use strict';

const KEY = Symbol.for('cocaine.Cancelled');

/** The caller gave up: nobody reads this answer any more. One class, however many copies of this package there are. */
exports.Cancelled = globalThis[KEY] ??= class Cancelled extends Error {
    /** The caller's error: [1000, 400] says that the client went away, [1000, 520] that the deadline passed. */
    constructor(category = 1000, code = 400, reason = '') {
        super('the caller gave up');
        this.name = 'Cancelled';
        this.category = category;
        this.code = code;
        this.reason = reason;
    }
};
