'use strict';

// What a worker writes: messages of the protocol, collected in one buffer and sent together.

const BUFFER_BYTES = 1 << 16;
const MOST_COPIED = 1 << 14;    // a longer chunk goes out as it is
const MOST_SPARE = 16;          // buffers kept for the next sends

class Output {
    constructor(socket) {
        this.socket = socket;
        this.spare = [];
        this.buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
        this.at = 0;
        this.isBehind = false;  // more is unsent than the socket wants to hold
        this.waiting = [];
        socket.on('drain', () => {
            this.isBehind = false;
            this.waiting.splice(0).forEach((resolve) => resolve());
        });
    }

    /** Resolves when the node has caught up. */
    caughtUp() {
        return this.isBehind ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve();
    }

    flush() {
        if (this.at === 0) {
            return;
        }
        const buffer = this.buffer;
        const full = this.socket.write(this.at === BUFFER_BYTES ? buffer : buffer.subarray(0, this.at), () => {
            if (this.spare.length < MOST_SPARE) {
                this.spare.push(buffer);
            }
        });
        this.isBehind = !full;
        this.buffer = this.spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
        this.at = 0;
    }

    room(size) {
        if (this.at + size > BUFFER_BYTES) {
            this.flush();
        }
    }

    // [n, …: the first bytes of every message. Needs 10 bytes of room.
    head(number) {
        const buffer = this.buffer;
        let at = this.at;
        buffer[at++] = 0x93;
        if (number < 0x100000000) {
            buffer[at++] = 0xce;
            buffer[at++] = number >>> 24;
            buffer[at++] = number >>> 16;
            buffer[at++] = number >>> 8;
            buffer[at++] = number;
        } else {
            buffer[at++] = 0xcf;
            at = buffer.writeUInt32BE(number % 0x100000000, buffer.writeUInt32BE(Math.floor(number / 0x100000000), at));
        }
        this.at = at;
    }

    /** [n, 0, [bin]]; the chunk is bytes or text. */
    chunk(number, chunk) {
        if (typeof chunk === 'string') {
            chunk = Buffer.from(chunk);
        } else if (!(chunk instanceof Uint8Array)) {
            throw new TypeError(`a chunk is bytes or text, not ${nameOf(chunk)}`);
        }
        const size = chunk.length;
        const isCopied = size <= MOST_COPIED;
        this.room(isCopied ? size + 24 : 24);
        this.head(number);
        const buffer = this.buffer;
        let at = this.at;
        buffer[at++] = 0x00;
        buffer[at++] = 0x91;
        if (size < 0x100) {
            buffer[at++] = 0xc4;
            buffer[at++] = size;
        } else if (size < 0x10000) {
            buffer[at++] = 0xc5;
            at = buffer.writeUInt16BE(size, at);
        } else {
            buffer[at++] = 0xc6;
            at = buffer.writeUInt32BE(size, at);
        }
        if (isCopied) {
            buffer.set(chunk, at);
            this.at = at + size;
        } else {
            this.at = at;
            this.flush();
            this.isBehind = !this.socket.write(chunk) || this.isBehind;
        }
    }

    /** [n, 2, []] */
    close(number) {
        this.room(16);
        this.head(number);
        this.buffer[this.at++] = 0x02;
        this.buffer[this.at++] = 0x90;
    }

    /** [n, 1, [[category, code], reason]] */
    error(number, category, code, reason) {
        const text = Buffer.from(reason.length > 0x1000 ? reason.slice(0, 0x1000) : reason);
        this.room(text.length + 48);
        this.head(number);
        const buffer = this.buffer;
        let at = this.at;
        buffer[at++] = 0x01;
        buffer[at++] = 0x92;
        buffer[at++] = 0x92;
        for (const value of [category, code]) {
            buffer[at++] = 0xd2;
            at = buffer.writeInt32BE(value, at);
        }
        buffer[at++] = 0xda;
        at = buffer.writeUInt16BE(text.length, at);
        buffer.set(text, at);
        this.at = at + text.length;
    }

    /** The control channel's messages. */
    raw(bytes) {
        this.room(bytes.length);
        this.buffer.set(bytes, this.at);
        this.at += bytes.length;
    }
}

function nameOf(value) {
    return value === null || typeof value !== 'object' ? typeof value : value.constructor?.name ?? 'an object';
}

module.exports = { Output, nameOf };
