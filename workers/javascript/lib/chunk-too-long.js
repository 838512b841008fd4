'use strict';

const { CHUNK_BYTES } = require('./limits.js');

const KEY = Symbol.for('cocaine.ChunkTooLong');

/** A chunk of an answer is longer than a message may be. One class, however many copies of this package there are. */
exports.ChunkTooLong = globalThis[KEY] ??= class ChunkTooLong extends RangeError {
    constructor(size) {
        super(`a chunk has at most ${CHUNK_BYTES} bytes, and this one has ${size}: write it in pieces`);
        this.name = 'ChunkTooLong';
    }
};
