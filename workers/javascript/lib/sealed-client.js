'use strict';

// A client whose calls are sealed: one connection to a native-server or native-sink, several calls side by side.
//
//     const { SealedClient } = require('cocaine/sealed-client');
//     const client = await SealedClient.connect('tcp://node:9100', { app: 'shop', key: 'billing.pem', nodeKey: 'node.pub' });
//     console.log(String(await client.call('invoice', '5 pieces')));
//
// Other clients can seal with cocaine/sealing, which has no sockets.

const net = require('node:net');
const { once } = require('node:events');
const { CLOSE, ERROR, WRITE } = require('./frames.js');
const { MESSAGE_BYTES, UNREAD_BYTES } = require('./limits.js');
const { Truncated, decodeFrom, encode } = require('./msgpack.js');
const { SealError, Sealer } = require('./sealing.js');

const UNAUTHENTICATED = 401;
const HEADERS = { requestTimeout: 'request_timeout', silenceTimeout: 'silence_timeout', retryLimit: 'retry_limit', urgent: 'urgent' };

/** The node or the app has answered with an error. */
class CallError extends Error {
    constructor(category, code, reason, isSealed) {
        super(isSealed ? reason : `${reason} (this error is not sealed)`);
        Object.assign(this, { category, code });
    }

    get name() {
        return 'CallError';
    }
}

class SealedClient {
    #sealer;
    #socket;
    #answers = new Map(); // by channel
    #channel = 0;
    #parts = [];          // bytes that came and are not read
    #size = 0;
    #need = 1;            // bytes with which it is worth to read on
    #unread = 0;          // bytes of answers that nobody has taken
    #failure = null;

    /**
     * endpoint: tcp://HOST:PORT or ipc:///path; key and nodeKey: files; timeout: the longest silence of the node while it owes an answer,
     * seconds.
     */
    static async connect(endpoint, { app, key, nodeKey, timeout = 30 }) {
        const sealer = new Sealer(app, key, nodeKey), socket = net.connect(placeOf(endpoint));
        socket.setTimeout(timeout * 1000, () => socket.destroy(new Error(`the node was silent for ${timeout} s`)));
        await once(socket, 'connect');
        return new SealedClient(sealer, socket);
    }

    constructor(sealer, socket) {
        this.#sealer = sealer;
        this.#socket = socket.setNoDelay(true);
        socket.removeAllListeners('timeout').on('timeout', () => this.#onSilence());
        socket.on('data', (data) => this.#onData(data));
        socket.on('error', (failure) => this.#end(failure));
        socket.on('close', () => this.#end(new Error('the connection is closed')));
        socket.unref(); // the waiting calls keep the process
    }

    close() {
        this.#socket.destroy();
    }

    /** Calls an event; the whole answer. */
    async call(event, request = '', wishes = {}) {
        const chunks = [];
        for await (const chunk of this.stream(event, [request], wishes)) {
            chunks.push(chunk);
        }
        return Buffer.concat(chunks);
    }

    /** Calls an event with a request of several chunks; the chunks of the answer. */
    async * stream(event, chunks, wishes = {}) {
        const number = ++this.#channel, [seal, call] = this.#sealer.begin(event, wishes);
        const answer = { call, chunks: [], done: false, failure: this.#failure, wake() {} };
        this.#answers.set(number, answer);
        this.#socket.ref();
        try {
            await this.#request(number, event, seal, call, chunks, wishes);
            yield* this.#answer(answer);
        } finally {
            this.#forget(number, answer);
        }
    }

    async #request(number, event, seal, call, chunks, wishes) {
        const items = Object.entries(HEADERS).filter(([wish]) => wishes[wish] !== undefined)
            .map(([wish, name]) => [false, name, littleEndian(wishes[wish])]);
        this.#socket.write(encode([number, WRITE, [Buffer.from(event)], [...items, [false, 'seal', seal]]]));
        let waiting = null; // the last chunk is known only when there is no other
        for await (const chunk of chunks) {
            if (waiting !== null) {
                await this.#send(encode([number, WRITE, [call.seal(waiting)]]));
            }
            waiting = chunk;
        }
        await this.#send(Buffer.concat([encode([number, WRITE, [call.seal(waiting ?? '', true)]]), encode([number, CLOSE, []])]));
    }

    async #send(message) {
        if (!this.#socket.write(message) && !this.#socket.destroyed) {
            await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]);
        }
    }

    async * #answer(answer) {
        for (;;) {
            while (answer.chunks.length > 0) {
                const chunk = answer.chunks.shift();
                this.#take(chunk.length);
                yield chunk;
            }
            if (answer.failure !== null) {
                throw answer.failure;
            }
            if (answer.done) {
                return;
            }
            await new Promise((wake) => {
                answer.wake = wake;
            });
        }
    }

    #forget(number, answer) {
        if (this.#answers.delete(number) && !answer.done && answer.failure === null) {
            this.#socket.write(encode([number, ERROR, [[1000, 400], 'the caller has given up']]));
        }
        this.#take(answer.chunks.reduce((sum, chunk) => sum + chunk.length, 0));
        if (this.#answers.size === 0) {
            this.#socket.unref();
        }
    }

    #take(bytes) {
        this.#unread -= bytes;
        if (this.#unread <= UNREAD_BYTES / 2 && this.#socket.isPaused()) {
            this.#socket.resume();
        }
    }

    #onSilence() {
        if (this.#answers.size > 0 && !this.#socket.isPaused()) {
            this.#socket.destroy(new Error('the node is silent'));
        }
    }

    #onData(data) {
        this.#parts.push(data);
        this.#size += data.length;
        if (this.#size < this.#need) {
            return;
        }
        const all = Buffer.concat(this.#parts);
        let at = 0;
        try {
            for (; at < all.length;) {
                const [message, end] = decodeFrom(all, at, true);
                at = end;
                this.#onMessage(message);
            }
            this.#need = 1;
        } catch (failure) {
            if (!(failure instanceof Truncated) || failure.need > MESSAGE_BYTES) {
                this.#socket.destroy(failure);
                return;
            }
            this.#need = Math.max(failure.need, all.length - at + 1);
        }
        this.#parts = [all.subarray(at)];
        this.#size = all.length - at;
        if (this.#unread > UNREAD_BYTES) {
            this.#socket.pause();
        }
    }

    #onMessage(message) {
        const [channel, kind, args] = Array.isArray(message) ? message : [];
        const answer = this.#answers.get(channel);
        if (answer === undefined || answer.done || answer.failure !== null || !Array.isArray(args)) {
            return; // of a call that was given up
        }
        try {
            this.#onPart(answer, kind, args);
        } catch (failure) {
            answer.failure = failure;
        }
        answer.wake();
    }

    #onPart(answer, kind, args) {
        const call = answer.call;
        if (kind === WRITE) {
            const chunk = call.open(args[0]);
            if (chunk !== null) {
                answer.chunks.push(chunk);
                this.#unread += chunk.length;
            }
        } else if (call.error !== null) {
            throw new CallError(call.error.category, call.error.code, call.error.text, true);
        } else if (kind === ERROR) {
            const [[category, code], reason] = args;
            if (call.opens || code === UNAUTHENTICATED) {
                this.#sealer.forget(call);
            }
            throw new CallError(category, code, String(reason), false);
        } else if (kind === CLOSE && !call.ended) {
            throw new SealError('the answer was cut: the record that ends it did not come');
        } else if (kind === CLOSE) {
            answer.done = true;
        }
    }

    #end(failure) {
        this.#failure ??= failure;
        for (const answer of this.#answers.values()) {
            answer.failure ??= this.#failure;
            answer.wake();
        }
    }
}

function littleEndian(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Number(value)));
    return bytes;
}

function placeOf(endpoint) {
    const [, path, host, port] = /^(?:ipc:\/\/(.+)|tcp:\/\/(.+):(\d+))$/.exec(endpoint) ?? [];
    if (path === undefined && host === undefined) {
        throw new TypeError(`expected tcp://HOST:PORT or ipc:///path, found ${JSON.stringify(endpoint)}`);
    }
    return path !== undefined ? { path } : { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

module.exports = { CallError, SealError, SealedClient };
