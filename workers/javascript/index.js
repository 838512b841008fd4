'use strict';

const { state } = require('./lib/state.js');
const { Cancelled } = require('./lib/cancelled.js');
const { ChunkTooLong } = require('./lib/chunk-too-long.js');
const { Extension, encode, decode } = require('./lib/msgpack.js');

/** The call that is being answered; undefined outside of handlers. */
exports.current = () => state.current();
exports.Cancelled = Cancelled;
exports.ChunkTooLong = ChunkTooLong;
exports.encode = encode;
exports.decode = decode;
exports.Extension = Extension;
exports.worker = state.worker;
