'use strict';

// What a worker writes: messages of the protocol, collected in one buffer and sent together.

const { ChunkTooLong } = require('./chunk-too-long.js');
const { cut } = require('./failures.js');
const { CONTROL, FLOW } = require('./frames.js');
const { BATCH_BYTES, CHUNK_BYTES, COPIED_BYTES, FAILURE_TEXT_BYTES, LISTEN_BYTES, SPARE_BUFFERS } = require('./limits.js');
const { encode } = require('./msgpack.js');

class Output {
    #link;
    #flushed;
    #spare = [];
    #buffer = Buffer.allocUnsafeSlow(BATCH_BYTES);
    #at = 0;
    #waiting = [];
    #willFlush = false;
    #flushNow = () => {
        this.#willFlush = false;
        this.flush();
    };

    /** `flushed` is called whenever everything written so far has been handed to the link. */
    constructor(link, flushed) {
        this.#link = link;
        this.#flushed = flushed;
        this.isBehind = false;  // more is unsent than the link wants to hold
        this.unheard = 0;       // bytes of chunks written since the loop has had a turn
        this.due = 0;           // when what is written must be sent
        link.whenDrained(() => {
            this.isBehind = false;
            this.#waiting.splice(0).forEach((resolve) => resolve());
        });
    }

    /** Resolves when the node has caught up. */
    caughtUp() {
        return this.isBehind ? new Promise((resolve) => { this.#waiting.push(resolve); }) : Promise.resolve();
    }

    /** Whether a writer on the channel should give way before it goes on. */
    mustWait(channel) {
        return channel.isHeld || this.isBehind || this.unheard > LISTEN_BYTES;
    }

    /** Resolves when the loop has had its turn, the node has caught up and does not hold the channel. Rejects when that is cancelled. */
    turn(channel) {
        const over = this.#turn(channel);
        over.catch(() => {});   // for those that do not await their writes: their calls end by themselves
        return over;
    }

    async #turn(channel) {
        if (this.unheard > LISTEN_BYTES) {
            await new Promise(setImmediate);
            this.unheard = 0;
        }
        while (this.isBehind || channel.isHeld) {
            await (this.isBehind ? this.caughtUp() : channel.untilLetGo());
        }
        if (channel.isCancelled) {
            throw channel.cancellation;
        }
    }

    flush() {
        this.#send();
        this.#flushed();
    }

    /** Everything that is written until the loop's turn is over goes out together. */
    flushSoon() {
        if (!this.#willFlush) {
            this.#willFlush = true;
            setImmediate(this.#flushNow);
        }
    }

    #send() {
        if (this.#at === 0) {
            return;
        }
        const buffer = this.#buffer;
        const isTaken = this.#link.write(this.#at === BATCH_BYTES ? buffer : buffer.subarray(0, this.#at), () => {
            if (this.#spare.length < SPARE_BUFFERS) {
                this.#spare.push(buffer);
            }
        });
        this.isBehind = !isTaken;
        this.#buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
        this.#at = 0;
    }

    #room(size) {
        if (this.#at + size > BATCH_BYTES) {
            this.#send();
        }
    }

    // [n, …: the first bytes of every message. Needs 10 bytes of room.
    #head(number) {
        const buffer = this.#buffer;
        let at = this.#at;
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
        this.#at = at;
    }

    /** [n, 0, [bin]]; the chunk is bytes or text. */
    chunk(number, chunk) {
        if (typeof chunk === 'string') {
            chunk = Buffer.from(chunk);
        } else if (!(chunk instanceof Uint8Array)) {
            throw new TypeError(`a chunk is bytes or text, not ${nameOf(chunk)}`);
        }
        const size = chunk.length;
        if (size > CHUNK_BYTES) {
            throw new ChunkTooLong(size);
        }
        this.unheard += size;
        const isCopied = size <= COPIED_BYTES;
        this.#room(isCopied ? size + 24 : 24);
        this.#head(number);
        const buffer = this.#buffer;
        let at = this.#at;
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
            this.#at = at + size;
        } else {
            this.#at = at;
            this.#send();
            this.isBehind = !this.#link.write(chunk) || this.isBehind;
        }
    }

    /** [1, 2, [n, 1 or 0]]: hold, or go on. */
    flow(number, holds) {
        this.raw(encode([CONTROL, FLOW, [number, holds ? 1 : 0]]));
    }

    /** [n, 2, []] */
    close(number) {
        this.#room(16);
        this.#head(number);
        this.#buffer[this.#at++] = 0x02;
        this.#buffer[this.#at++] = 0x90;
    }

    /** [n, 1, [[category, code], reason]] */
    error(number, category, code, reason) {
        const text = cut(reason, FAILURE_TEXT_BYTES);
        this.#room(text.length + 48);
        this.#head(number);
        const buffer = this.#buffer;
        let at = this.#at;
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
        this.#at = at + text.length;
    }

    /** The control channel's messages. */
    raw(bytes) {
        this.#room(bytes.length);
        this.#buffer.set(bytes, this.#at);
        this.#at += bytes.length;
    }
}

function nameOf(value) {
    return value === null || typeof value !== 'object' ? typeof value : value.constructor?.name ?? 'an object';
}

module.exports = { Output, nameOf };
