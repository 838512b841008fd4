'use strict';

// MessagePack: https://github.com/msgpack/msgpack/blob/master/spec.md
//
//     encode({ a: 1 }) -> Buffer          decode(buffer) -> value
//
// Text is a string, bytes are a Buffer; with raw both are Buffers, as the protocol reads them, where a payload's family means nothing.
// Whole numbers past 2^53 are BigInts.

const { DEPTH } = require('./limits.js');

/** The data ends before the value does: at least `need` bytes from where reading began are wanted. */
class Truncated extends RangeError {
    constructor(need) {
        super('the data ends inside a value');
        this.need = need;
    }
}

/** An extension value: its type and bytes. */
class Extension {
    constructor(code, data) {
        this.code = code;
        this.data = data;
    }
}

class Reader {
    constructor(data, at, raw) {
        this.data = data;
        this.start = at;
        this.at = at;
        this.raw = raw;
    }

    // Where `size` bytes begin, which are then taken.
    take(size) {
        const at = this.at;
        if (at + size > this.data.length) {
            throw new Truncated(at + size - this.start);
        }
        this.at = at + size;
        return at;
    }

    read(depth) {
        const code = this.data[this.take(1)];
        if (code < 0x80) {
            return code;
        }
        if (code >= 0xe0) {
            return code - 256;
        }
        if (code < 0x90) {
            return this.map(code & 15, depth);
        }
        if (code < 0xa0) {
            return this.array(code & 15, depth);
        }
        return code < 0xc0 ? this.bytes(code & 31, !this.raw) : this.coded(code, depth);
    }

    coded(code, depth) {
        const data = this.data;
        switch (code) {
            case 0xc0: return null;
            case 0xc2: return false;
            case 0xc3: return true;
            case 0xc4: case 0xc5: case 0xc6: return this.bytes(this.size(1 << (code - 0xc4)), false);
            case 0xc7: case 0xc8: case 0xc9: return this.extension(this.size(1 << (code - 0xc7)));
            case 0xca: return data.readFloatBE(this.take(4));
            case 0xcb: return data.readDoubleBE(this.take(8));
            case 0xcc: case 0xcd: case 0xce: return this.size(1 << (code - 0xcc));
            case 0xcf: return small(data.readBigUInt64BE(this.take(8)));
            case 0xd0: return data.readInt8(this.take(1));
            case 0xd1: return data.readInt16BE(this.take(2));
            case 0xd2: return data.readInt32BE(this.take(4));
            case 0xd3: return small(data.readBigInt64BE(this.take(8)));
            case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return this.extension(1 << (code - 0xd4));
            case 0xd9: case 0xda: case 0xdb: return this.bytes(this.size(1 << (code - 0xd9)), !this.raw);
            case 0xdc: case 0xdd: return this.array(this.size(2 << (code - 0xdc)), depth);
            case 0xde: case 0xdf: return this.map(this.size(2 << (code - 0xde)), depth);
            default: throw new TypeError('0xc1 begins no value');
        }
    }

    size(width) {
        return this.data.readUIntBE(this.take(width), width);
    }

    bytes(size, isText) {
        const at = this.take(size);
        return isText ? this.data.toString('utf8', at, at + size) : this.data.subarray(at, at + size);
    }

    extension(size) {
        const at = this.take(size + 1);
        return new Extension(this.data.readInt8(at), this.data.subarray(at + 1, at + 1 + size));
    }

    // A value is at least a byte: so a made-up count costs no memory, and never more than the data's own length.
    check(count, depth) {
        if (depth >= DEPTH) {
            throw new TypeError(`nested deeper than ${DEPTH}`);
        }
        if (this.at + count > this.data.length) {
            throw new Truncated(this.at + count - this.start);
        }
    }

    array(count, depth) {
        this.check(count, depth);
        const values = [];
        for (let i = 0; i < count; i++) {
            values.push(this.read(depth + 1));
        }
        return values;
    }

    map(count, depth) {
        this.check(2 * count, depth);
        const values = {};
        for (let i = 0; i < count; i++) {
            const key = this.read(depth + 1);
            if (key !== null && typeof key === 'object' && !Buffer.isBuffer(key)) {
                throw new TypeError("a map's key is a container");
            }
            const value = this.read(depth + 1);
            Object.defineProperty(values, String(key), { value, enumerable: true, configurable: true, writable: true }); // __proto__ too
        }
        return values;
    }
}

function small(big) {
    const number = Number(big);
    return Number.isSafeInteger(number) ? number : big;
}

/** The one value that the data holds. */
function decode(data, raw = false) {
    const [value, end] = decodeFrom(asBuffer(data), 0, raw);
    if (end !== data.length) {
        throw new TypeError(`${data.length - end} bytes follow the value`);
    }
    return value;
}

/** The value at `at`, and where the next one begins. */
function decodeFrom(data, at, raw) {
    const reader = new Reader(data, at, raw);
    const value = reader.read(0);
    return [value, reader.at];
}

/** The bytes of a value, in the shortest form. */
function encode(value) {
    const parts = [];
    write(value, parts, 0);
    return Buffer.concat(parts);
}

function write(value, parts, depth) {
    if (value === null || value === undefined) {
        parts.push(Buffer.of(0xc0));
    } else if (typeof value === 'boolean') {
        parts.push(Buffer.of(value ? 0xc3 : 0xc2));
    } else if (typeof value === 'number' || typeof value === 'bigint') {
        parts.push(number(value));
    } else if (typeof value === 'string') {
        const text = Buffer.from(value);
        parts.push(textHead(text.length), text);
    } else if (value instanceof Uint8Array) {
        parts.push(sized(value.length, 0xc4, 0xc5, 0xc6), value);
    } else if (value instanceof Extension) {
        const fixed = { 1: 0xd4, 2: 0xd5, 4: 0xd6, 8: 0xd7, 16: 0xd8 }[value.data.length];
        parts.push(fixed ? Buffer.of(fixed) : sized(value.data.length, 0xc7, 0xc8, 0xc9), Buffer.of(value.code & 0xff), value.data);
    } else if (typeof value === 'object') {
        container(value, parts, depth);
    } else {
        throw new TypeError(`MessagePack has no form for a ${typeof value}`);
    }
}

function container(value, parts, depth) {
    if (depth >= DEPTH) {
        throw new TypeError(`nested deeper than ${DEPTH}`);
    }
    if (Array.isArray(value)) {
        parts.push(value.length < 16 ? Buffer.of(0x90 | value.length) : sized(value.length, 0, 0xdc, 0xdd));
        value.forEach((item) => write(item, parts, depth + 1));
        return;
    }
    const pairs = value instanceof Map ? [...value] : Object.entries(value);
    parts.push(pairs.length < 16 ? Buffer.of(0x80 | pairs.length) : sized(pairs.length, 0, 0xde, 0xdf));
    for (const [key, item] of pairs) {
        write(key, parts, depth + 1);
        write(item, parts, depth + 1);
    }
}

function number(value) {
    if (typeof value === 'number' && !Number.isSafeInteger(value) || Object.is(value, -0)) {
        const double = Buffer.alloc(9);
        double[0] = 0xcb;
        double.writeDoubleBE(value, 1);
        return double;
    }
    if (value >= 0) {
        return value < 0x80 ? Buffer.of(Number(value)) : fixed(value, [[0x100, 0xcc, 1], [0x10000, 0xcd, 2], [0x100000000, 0xce, 4]], 0xcf);
    }
    return value >= -32 ? Buffer.of(Number(value) + 256)
        : fixed(value, [[-0x80, 0xd0, 1], [-0x8000, 0xd1, 2], [-0x80000000, 0xd2, 4]], 0xd3);
}

// In the first of the widths whose bound it keeps, else in 8 bytes.
function fixed(value, widths, last) {
    for (const [bound, code, width] of widths) {
        if (value >= 0 ? value < bound : value >= bound) {
            const bytes = Buffer.alloc(1 + width);
            bytes[0] = code;
            bytes[value >= 0 ? 'writeUIntBE' : 'writeIntBE'](Number(value), 1, width);
            return bytes;
        }
    }
    const bytes = Buffer.alloc(9);
    bytes[0] = last;
    bytes[value >= 0 ? 'writeBigUInt64BE' : 'writeBigInt64BE'](BigInt(value), 1); // throws when it has more than 64 bits
    return bytes;
}

/** Without str8, which the oldest peers do not read. */
function textHead(size) {
    return size < 32 ? Buffer.of(0xa0 | size) : sized(size, 0, 0xda, 0xdb);
}

function sized(size, few, medium, large) {
    if (few && size < 0x100) {
        return Buffer.of(few, size);
    }
    const head = Buffer.alloc(size < 0x10000 ? 3 : 5);
    head[0] = size < 0x10000 ? medium : large;
    head.writeUIntBE(size, 1, head.length - 1);
    return head;
}

function asBuffer(data) {
    return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

module.exports = { Truncated, Extension, encode, decode, decodeFrom };
