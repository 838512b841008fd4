'use strict';

// A channel: one request and its answer.

const { Call } = require('./call.js');
const { Cancelled } = require('./cancelled.js');
const { CONTROL } = require('./frames.js');
const { BARE } = require('./headers.js');
const { GO_ON_BYTES, HOLD_BYTES, UNREAD_BYTES } = require('./limits.js');

/** Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten. */
class Channel extends Call {
    #controller;
    #error = [];                // with which the caller gave up; valid when it is cancelled
    #waiting = [];              // reads that wait for a chunk: [resolve, reject]
    #writers;                   // writes that wait until the node lets the channel go: a resolve for each, or undefined
    #unread = 0;                // bytes of `chunks`, of a stream
    #holds = false;             // the node was asked to hold its chunks

    constructor(number, handler, items, channels) {
        super(handler);
        this.number = number;
        this.items = items;
        this.channels = channels;
        this.chunks = [];           // of the request, not read yet
        this.closed = false;
        this.ended = false;
        this.isCancelled = false;
        this.isHeld = false;        // the node has asked to hold ours
        this.begun = false;         // the node takes it back no more
        this.started = false;       // the handler runs, or has run
        this.isAbandoned = false;   // ended for a handler that goes on
        this.openedAt = performance.now();
    }

    get cancelled() { return this.isCancelled; }

    /** What says that the caller gave up, a new one each time: it may be thrown in several places. */
    get cancellation() { return this.isCancelled ? new Cancelled(...this.#error) : undefined; }

    get signal() {
        if (this.#controller === undefined) {
            this.#controller = new AbortController();
            if (this.isCancelled) {
                this.#controller.abort(this.cancellation);
            }
        }
        return this.#controller.signal;
    }

    add(chunk) {
        this.chunks.push(chunk);
        if (this.handler.takesStreams) {
            this.#unread += chunk.length;
            this.channels.addUnread(chunk.length);
            this.settle();
            if (this.#unread > HOLD_BYTES && !this.#holds && this.channels.hasFlow) {
                this.#holds = true;
                this.channels.ask(this, true);
            }
        }
    }

    /** The next chunk of a stream; there is one. */
    take() {
        const chunk = this.chunks.shift();
        this.#unread -= chunk.length;
        this.channels.removeUnread(chunk.length);
        if (this.#holds && this.#unread < GO_ON_BYTES && !this.closed) {
            this.#holds = false;
            this.channels.ask(this, false);
        }
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
                reject(this.cancellation);
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
        if (this.#unread > 0) {
            this.channels.removeUnread(this.#unread);
            this.#unread = 0;
        }
        this.chunks = [];
    }

    /** Resolves when the node lets the channel go, or a writer would find out why it never does. */
    untilLetGo() {
        return new Promise((resolve) => { (this.#writers ??= []).push(resolve); });
    }

    letGo() {
        this.isHeld = false;
        this.#writers?.splice(0).forEach((resolve) => resolve());
    }

    /** The caller's error is [category, code, reason], or empty. */
    cancel(error) {
        this.isCancelled = true;
        this.#error = error;
        this.letGo();
        this.#controller?.abort(this.cancellation);
        this.settle();
    }
}

/** All channels whose two sides have not both ended. */
class Channels {
    #byNumber = new Map();
    #link;
    #output;
    #gate;
    #unread = 0;                // bytes of streamed requests that no handler has read

    constructor(link, output, gate) {
        this.#link = link;
        this.#output = output;
        this.#gate = gate;
        this.ended = () => {};  // called when one that had begun has ended
        this.hasFlow = false;   // the node has flow control of one channel
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

    /** A channel for a whole request that begins now. */
    begin(number, handler) {
        const channel = this.open(number, handler, BARE);
        channel.closed = channel.begun = true;
        this.#gate.underWay++;
        return channel;
    }

    /** We have ended a channel. */
    onEnd(channel) {
        this.running--;
        if (channel.begun) {
            this.#gate.underWay--;
            this.ended();
        }
    }

    /** The node has taken back what has not begun from this channel on: it was never here. */
    void(from) {
        for (const channel of [...this.#byNumber.values()]) {
            if (channel.number >= from && !channel.begun) {
                this.forget(channel);
                if (!channel.ended) {
                    channel.ended = true;
                    this.running--;
                    channel.drop();
                }
            }
        }
    }

    forget(channel) {
        this.#byNumber.delete(channel.number);
    }

    /** Those whose handlers run. */
    underWay() {
        return [...this.#byNumber.values()].filter((channel) => channel.started && !channel.ended);
    }

    /** Asks the node to hold the chunks of a channel, or to go on. */
    ask(channel, holds) {
        this.#output.flow(channel.number, holds);
        this.#output.flushSoon();
    }

    /** The node asks to hold the chunks that we write, or to go on. */
    hold(number, holds) {
        const channel = this.#byNumber.get(number);
        if (channel === undefined || channel.ended || channel.isCancelled) {
            return;
        }
        if (holds) {
            channel.isHeld = true;
        } else {
            channel.letGo();
        }
    }

    addUnread(size) {
        this.#unread += size;
        if (this.#unread > UNREAD_BYTES && !this.hasFlow) {
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
