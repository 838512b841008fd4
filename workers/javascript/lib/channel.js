'use strict';

// A channel: one request and its answer.

const { Call } = require('./call.js');
const { Cancelled } = require('./cancelled.js');
const { CONTROL } = require('./frames.js');
const { BARE } = require('./headers.js');
const { UNREAD_BYTES } = require('./limits.js');

/** Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten. */
class Channel extends Call {
    #controller;
    #waiting = [];              // reads that wait for a chunk: [resolve, reject]

    constructor(number, handler, items, channels) {
        super(handler);
        this.number = number;
        this.items = items;
        this.channels = channels;
        this.chunks = [];           // of the request, not read yet
        this.closed = false;
        this.ended = false;
        this.isCancelled = false;
        this.started = false;       // the handler runs, or has run
        this.isAbandoned = false;   // ended for a handler that goes on
        this.openedAt = performance.now();
    }

    get cancelled() { return this.isCancelled; }

    get signal() {
        if (this.#controller === undefined) {
            this.#controller = new AbortController();
            if (this.isCancelled) {
                this.#controller.abort(new Cancelled());
            }
        }
        return this.#controller.signal;
    }

    add(chunk) {
        this.chunks.push(chunk);
        if (this.handler.takesStreams) {
            this.channels.addUnread(chunk.length);
            this.settle();
        }
    }

    /** The next chunk of a stream; there is one. */
    take() {
        const chunk = this.chunks.shift();
        this.channels.removeUnread(chunk.length);
        return chunk;
    }

    /** The next chunk of a stream, when it comes. */
    wait() {
        return new Promise((resolve, reject) => { this.#waiting.push([resolve, reject]); });
    }

    /** Gives those who wait what has come. */
    settle() {
        while (this.#waiting.length > 0 && (this.chunks.length > 0 || this.closed)) {
            const [resolve, reject] = this.#waiting.shift();
            if (this.chunks.length > 0) {
                resolve(this.take());
            } else if (this.isCancelled) {
                reject(new Cancelled());
            } else {
                resolve(null);
            }
        }
    }

    /** The whole request; valid when closed. */
    body() {
        const chunks = this.chunks;
        this.chunks = [];
        return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    }

    /** Nobody reads the rest of the request. */
    drop() {
        if (this.handler?.takesStreams) {
            this.chunks.forEach((chunk) => this.channels.removeUnread(chunk.length));
        }
        this.chunks = [];
    }

    cancel() {
        this.isCancelled = true;
        this.#controller?.abort(new Cancelled());
        this.settle();
    }
}

/** All channels whose two sides have not both ended. */
class Channels {
    #byNumber = new Map();
    #link;
    #unread = 0;                // bytes of streamed requests that no handler has read

    constructor(link) {
        this.#link = link;
        this.last = CONTROL;    // the highest channel so far
        this.running = 0;       // channels that we have not ended
    }

    find(number) {
        return this.#byNumber.get(number);
    }

    open(number, handler, items) {
        const channel = new Channel(number, handler, items === BARE ? BARE : copyOf(items), this);
        this.#byNumber.set(number, channel);
        this.running++;
        return channel;
    }

    forget(channel) {
        this.#byNumber.delete(channel.number);
    }

    /** Those whose handlers run. */
    underWay() {
        return [...this.#byNumber.values()].filter((channel) => channel.started && !channel.ended);
    }

    addUnread(size) {
        this.#unread += size;
        if (this.#unread > UNREAD_BYTES) {
            this.#link.pause();
        }
    }

    removeUnread(size) {
        this.#unread -= size;
        if (this.#unread <= UNREAD_BYTES / 2 && this.#link.isPaused) {
            this.#link.resume();
        }
    }
}

// Header items point into what was read, which is only lent.
function copyOf(items) {
    return items.map((item) => Array.isArray(item) ? item.map((part) => Buffer.isBuffer(part) ? Buffer.from(part) : part) : item);
}

module.exports = { Channel, Channels };
