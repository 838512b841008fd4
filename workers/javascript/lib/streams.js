'use strict';

// The two streams that an app sees of a channel.

const { APP_CATEGORY } = require('./frames.js');

const DONE = Promise.resolve();

/** The request's chunks, as they come. */
class Request {
    #channel;

    constructor(channel) {
        this.#channel = channel;
    }

    get event() { return this.#channel.event; }
    get app() { return this.#channel.app; }
    get headers() { return this.#channel.headers; }
    get traceId() { return this.#channel.traceId; }
    get spanId() { return this.#channel.spanId; }
    get parentId() { return this.#channel.parentId; }
    get signal() { return this.#channel.signal; }
    get cancelled() { return this.#channel.cancelled; }
    get cancellation() { return this.#channel.cancellation; }

    header(name) {
        return this.#channel.header(name);
    }

    /** The next chunk, or null at the end. Rejects with Cancelled when the caller gives up. */
    read() {
        const channel = this.#channel;
        if (channel.chunks.length > 0) {
            return Promise.resolve(channel.take());
        }
        if (channel.isCancelled) {
            return Promise.reject(channel.cancellation);
        }
        return channel.closed ? Promise.resolve(null) : channel.wait();
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
    #output;
    #ending;

    constructor(channel, output, ending) {
        this.#channel = channel;
        this.#output = output;
        this.#ending = ending;
    }

    get signal() { return this.#channel.signal; }
    get cancelled() { return this.#channel.cancelled; }

    /** Sends a chunk; await it, and you wait while the node is behind, or the caller slow to take the answer. */
    write(chunk) {
        const channel = this.#channel;
        if (channel.isCancelled) {
            throw channel.cancellation;
        }
        if (channel.ended) {
            throw new Error('the response has ended');
        }
        const output = this.#output;
        output.chunk(channel.number, chunk);
        output.flushSoon();
        return output.mustWait(channel) ? output.turn(channel) : DONE;
    }

    /** Ends the answer with an error. */
    error(code, text = '', category = APP_CATEGORY) {
        this.#ending.endWithError(this.#channel, code, text, category);
        this.#output.flushSoon();
    }

    close() {
        this.#ending.end(this.#channel);
        this.#output.flushSoon();
    }
}

module.exports = { Request, Response };
