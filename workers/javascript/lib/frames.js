'use strict';

// The protocol's messages: [channel, type, args, headers?]. Reads any of them; what it found stands in its fields, so nothing is made.

const { BARE } = require('./headers.js');
const { decodeFrom } = require('./msgpack.js');

const CONTROL = 1;                       // the channel of handshake, heartbeat and terminate
const TERMINATE = 1, FLOW = 2, RECALL = 3; // types on it, beside the heartbeat's 0
const WRITE = 0, ERROR = 1, CLOSE = 2;   // types on a channel; an invoke is the first write
const CATEGORY = 1000, NOT_FOUND = 404, TOO_LARGE = 413, APP_ERROR = 502;
const APP_CATEGORY = 42;                 // of errors that an app gives itself
const HEARTBEAT = Buffer.of(0x93, CONTROL, 0x00, 0x90);

class Message {
    constructor() {
        this.number = 0;
        this.type = 0;
        this.dataAt = -1;       // where the one argument's bytes are, of a write; -1 when there is none
        this.dataEnd = -1;
        this.args = undefined;  // the arguments, of a message of another form than the usual ones
        this.items = undefined; // headers as they came
        this.end = 0;           // where the next message begins
    }

    /** Throws Truncated when the message is cut, a TypeError when it is none. */
    read(data, at) {
        // The usual ones by hand: [n, 0, [bytes]], the same with the three bare trace headers, and [n, 2, []].
        const first = data[at];
        this.args = undefined;
        if (first !== 0x93 && first !== 0x94) {
            return this.#readAny(data, at);
        }
        let i = this.#number(data, at + 1);
        if (i < 0) {
            return this.#readAny(data, at);
        }
        const type = data[i];
        if (type === CLOSE && data[i + 1] === 0x90 && first === 0x93) {
            this.type = CLOSE;
            this.items = undefined;
            this.end = i + 2;
            return;
        }
        if (type !== WRITE || data[i + 1] !== 0x91) {
            return this.#readAny(data, at);
        }
        i = this.#bytes(data, i + 2);
        if (i < 0 || i > data.length) {
            return this.#readAny(data, at);
        }
        this.items = undefined;
        if (first === 0x94) {
            if (data[i] !== 0x93 || data[i + 1] !== 0x50 || data[i + 2] !== 0x51 || data[i + 3] !== 0x52) {
                return this.#readAny(data, at);
            }
            this.items = BARE;
            i += 4;
        }
        this.type = WRITE;
        this.end = i;
    }

    // Sets the number; where its bytes end, or -1.
    #number(data, at) {
        const code = data[at];
        if (code < 0x80 && code > 0) {
            this.number = code;
            return at + 1;
        }
        if (code === 0xcc) {
            this.number = data[at + 1];
            return at + 2;
        }
        if (code === 0xcd) {
            this.number = data[at + 1] << 8 | data[at + 2];
            return at + 3;
        }
        if (code === 0xce) {
            this.number = (data[at + 1] << 24 | data[at + 2] << 16 | data[at + 3] << 8 | data[at + 4]) >>> 0;
            return at + 5;
        }
        return -1;
    }

    // Sets the data's place; where it ends, or -1.
    #bytes(data, at) {
        const code = data[at];
        let size;
        if (code === 0xc4) {
            size = data[at + 1];
            at += 2;
        } else if (code >= 0xa0 && code < 0xc0) {
            size = code & 31;
            at += 1;
        } else if (code === 0xc5 || code === 0xda) {
            size = data[at + 1] << 8 | data[at + 2];
            at += 3;
        } else {
            return -1;
        }
        if (size === undefined) {
            return -1;
        }
        this.dataAt = at;
        this.dataEnd = at + size;
        return this.dataEnd;
    }

    #readAny(data, at) {
        const [message, end] = decodeFrom(data, at, true);
        if (!Array.isArray(message) || message.length < 3) {
            throw new TypeError('a message is an array of three or four');
        }
        const [number, type, args, items] = message;
        if (!Number.isSafeInteger(number) || number < 1 || !Number.isSafeInteger(type) || type < 0 || !Array.isArray(args)) {
            throw new TypeError('a message of the wrong form');
        }
        this.number = number;
        this.type = type;
        this.args = args;
        this.dataAt = this.dataEnd = -1;
        if (type === WRITE && Buffer.isBuffer(args[0])) {
            this.dataAt = args[0].byteOffset - data.byteOffset;
            this.dataEnd = this.dataAt + args[0].length;
        }
        this.items = Array.isArray(items) ? items : undefined;
        this.end = end;
    }
}

/** Whether the bytes at `at` are the whole request of the message just read: one small chunk and the close, on the same number. */
function followsWhole(data, at, from, message) {
    // The number's bytes stand at from + 1, as many as up to the type.
    const width = widthOf(data[from + 1]);
    if (data[at] !== 0x93 || !sameBytes(data, at + 1, data, from + 1, width)) {
        return false;
    }
    const i = at + 1 + width;
    if (data[i] !== WRITE || data[i + 1] !== 0x91 || data[i + 2] !== 0xc4) {
        return false;
    }
    const begin = i + 4, end = begin + data[i + 3];
    if (data[end] !== 0x93 || data[end + 1 + width] !== CLOSE || data[end + 2 + width] !== 0x90
        || !sameBytes(data, end + 1, data, from + 1, width)) {
        return false;
    }
    message.dataAt = begin;
    message.dataEnd = end;
    message.end = end + 3 + width;
    return true;
}

function widthOf(code) {
    return code < 0x80 ? 1 : code === 0xcc ? 2 : code === 0xcd ? 3 : code === 0xce ? 5 : 9;
}

function sameBytes(a, at, b, bt, size) {
    for (let i = 0; i < size; i++) {
        if (a[at + i] !== b[bt + i]) {
            return false;
        }
    }
    return true;
}

module.exports = {
    APP_CATEGORY, APP_ERROR, CATEGORY, CLOSE, CONTROL, ERROR, FLOW, HEARTBEAT, NOT_FOUND, RECALL, TERMINATE, TOO_LARGE, WRITE, Message, followsWhole,
    sameBytes,
};
