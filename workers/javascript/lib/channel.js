'use strict';

// A channel, and the two streams that an app sees of it.

const { Cancelled } = require('./cancelled.js');
const { BARE, readItems, numberOf } = require('./headers.js');

const NEVER = new AbortController().signal;
const DONE = Promise.resolve();
const APP_CATEGORY = 42;

/** What a handler can ask about the call that it answers. Headers are decoded only when it asks. */
class Call {
    constructor(handler) {
        this.handler = handler;
        this.items = BARE;
    }

    get event() { return this.handler.event; }
    get app() { return this.handler.app; }
    get headers() { return readItems(this.items); }
    get traceId() { return numberOf(this.header('trace_id')); }
    get signal() { return NEVER; }
    get cancelled() { return false; }

    header(name) {
        return this.headers.find((pair) => pair[0] === name)?.[1];
    }
}

/** One request and its answer. Each side ends once: `closed` is the node's end, `ended` ours; then the number is forgotten. */
class Channel extends Call {
    constructor(number, handler, items) {
        super(handler);
        this.number = number;
        this.items = items;
        this.chunks = [];           // of the request, not read yet
        this.closed = false;
        this.ended = false;
        this.isCancelled = false;
        this.started = false;       // the handler runs, or has run
        this.waiting = [];          // reads that wait for a chunk: [resolve, reject]
        this.controller = undefined;
        this.isAbandoned = false;   // ended for a handler that goes on
        this.openedAt = performance.now();
    }

    get cancelled() { return this.isCancelled; }

    get signal() {
        if (this.controller === undefined) {
            this.controller = new AbortController();
            if (this.isCancelled) {
                this.controller.abort(new Cancelled());
            }
        }
        return this.controller.signal;
    }

    /** The whole request; valid when closed. */
    body() {
        const chunks = this.chunks;
        this.chunks = [];
        return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    }

    cancel() {
        this.isCancelled = true;
        this.controller?.abort(new Cancelled());
        this.settle();
    }

    /** Gives those who wait what has come. */
    settle() {
        while (this.waiting.length > 0 && (this.chunks.length > 0 || this.closed)) {
            const [resolve, reject] = this.waiting.shift();
            if (this.chunks.length > 0) {
                resolve(this.chunks.shift());
            } else if (this.isCancelled) {
                reject(new Cancelled());
            } else {
                resolve(null);
            }
        }
    }
}

class Stream {
    #channel;

    constructor(channel) {
        this.#channel = channel;
    }

    get event() { return this.#channel.event; }
    get app() { return this.#channel.app; }
    get headers() { return this.#channel.headers; }
    get traceId() { return this.#channel.traceId; }
    get signal() { return this.#channel.signal; }
    get cancelled() { return this.#channel.cancelled; }

    header(name) {
        return this.#channel.header(name);
    }
}

/** The request's chunks, as they come. */
class Request extends Stream {
    #channel;
    #session;

    constructor(session, channel) {
        super(channel);
        this.#channel = channel;
        this.#session = session;
    }

    /** The next chunk, or null at the end. Rejects with Cancelled when the caller gives up. */
    read() {
        const channel = this.#channel;
        if (channel.chunks.length > 0) {
            const chunk = channel.chunks.shift();
            this.#session.onRead(chunk);
            return Promise.resolve(chunk);
        }
        if (channel.isCancelled) {
            return Promise.reject(new Cancelled());
        }
        if (channel.closed) {
            return Promise.resolve(null);
        }
        return new Promise((resolve, reject) => {
            channel.waiting.push([(chunk) => {
                if (chunk !== null) {
                    this.#session.onRead(chunk);
                }
                resolve(chunk);
            }, reject]);
        });
    }

    /** All the rest. */
    async body() {
        const chunks = [];
        for await (const chunk of this) {
            chunks.push(chunk);
        }
        return Buffer.concat(chunks);
    }

    async* [Symbol.asyncIterator]() {
        for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) {
            yield chunk;
        }
    }
}

/** The answer. It is closed when the handler is done, unless it has ended before. */
class Response {
    #channel;
    #session;

    constructor(session, channel) {
        this.#channel = channel;
        this.#session = session;
    }

    get signal() { return this.#channel.signal; }
    get cancelled() { return this.#channel.cancelled; }

    /** Sends a chunk; await it, and you wait while the node is behind. */
    write(chunk) {
        const channel = this.#channel;
        if (channel.isCancelled) {
            throw new Cancelled();
        }
        if (channel.ended) {
            throw new Error('the response has ended');
        }
        this.#session.writeChunk(channel.number, chunk);
        this.#session.flushSoon();
        return this.#session.isBehind ? this.#session.caughtUp() : DONE;
    }

    /** Ends the answer with an error. */
    error(code, text = '', category = APP_CATEGORY) {
        this.#session.endWithError(this.#channel, category, code, text);
        this.#session.flushSoon();
    }

    close() {
        this.#session.end(this.#channel);
        this.#session.flushSoon();
    }
}

module.exports = { Call, Channel, Request, Response };
