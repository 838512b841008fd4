'use strict';

// What the node writes: its messages one by one, into channels and to the calls that wait. No handler runs here.

const { broken } = require('./exits.js');
const {
    APP_ERROR, CATEGORY, CLOSE, CONTROL, ERROR, FLOW, Message, RECALL, TERMINATE, WRITE, followsWhole, sameBytes,
} = require('./frames.js');
const { BARE } = require('./headers.js');
const { MESSAGE_BYTES } = require('./limits.js');
const { Truncated } = require('./msgpack.js');

const NOTHING = Buffer.alloc(0);

class Input {
    #app;
    #channels;
    #running;
    #waiting;
    #gate;
    #output;
    #message = new Message();
    #at = 0;            // where it begins
    #isLent = true;     // what is taken is only lent: chunks are copied out of it
    #rest = NOTHING;    // the start of a message whose end has not come, in memory for `need` bytes
    #restBytes = 0;
    #need = 0;
    #known;             // the last handler that was found: the next request is probably for it

    constructor({ app, channels, running, waiting, gate, output }) {
        this.#app = app;
        this.#channels = channels;
        this.#running = running;
        this.#waiting = waiting;
        this.#gate = gate;
        this.#output = output;
        this.draining = false;  // no more calls come
        this.greeted = undefined; // called with what the node can do, by the handshake's answer; then undefined again
    }

    /** Takes what was read; the buffer is only lent. A message that lies across reads is joined alone, and its chunk stays there. */
    receive(data) {
        let at = 0;
        while (this.#restBytes > 0) {
            const count = data.copy(this.#rest, this.#restBytes, at);
            at += count;
            this.#restBytes += count;
            if (this.#restBytes < this.#need) {
                return;
            }
            const joined = this.#rest;
            this.#rest = NOTHING;
            this.#restBytes = 0;
            this.#take(joined, 0, false); // a rest again when only the front of the message was known
        }
        this.#take(data, at, true);
    }

    #take(data, at, isLent) {
        this.#isLent = isLent;
        try {
            while (at < data.length) {
                at = this.#step(data, at);
            }
        } catch (problem) {
            if (!(problem instanceof Truncated)) {
                broken(problem.message);
            }
            if (problem.need > MESSAGE_BYTES) {
                broken(`a message of more than ${MESSAGE_BYTES} bytes`);
            }
            this.#need = problem.need;
            this.#rest = memoryFor(problem.need);
            this.#restBytes = data.copy(this.#rest, 0, this.#at);
        }
    }

    // One message; where the next one begins.
    #step(data, at) {
        this.#at = at;
        const message = this.#message, channels = this.#channels;
        message.read(data, at);
        const number = message.number;
        if (this.greeted !== undefined) {
            this.#onGreeting();
            return message.end;
        }
        if (number > channels.last) {
            if (message.type !== WRITE || message.dataAt < 0) {
                broken(`a message of type ${message.type} on channel ${number}, which is not open`);
            }
            channels.last = number;
            this.#onInvoke(data, at, number);
            return message.end;
        }
        const end = message.end;
        const channel = channels.find(number);
        if (channel !== undefined) {
            this.#onChannel(channel, data);
        } else if (number === CONTROL) {
            this.#onControl(message.type);
        } else if (message.type > CLOSE) {
            broken(`a message of type ${message.type}`);
        } else if (message.type === ERROR && this.#waiting.cancel(number)) {
            this.#output.error(number, CATEGORY, APP_ERROR, 'cancelled');
        }
        return end; // else it is late: for a channel that both sides have ended
    }

    // The handshake's answer, [1, 0, [{…}]], comes before all else.
    #onGreeting() {
        const { number, type, args } = this.#message;
        if (number !== CONTROL || type !== 0 || args?.length !== 1 || args[0] === null || typeof args[0] !== 'object') {
            broken(`the handshake's answer is a message of type ${type} on channel ${number}`);
        }
        const greeted = this.greeted;
        this.greeted = undefined;
        greeted(args[0]);
    }

    #onControl(type) {
        const args = this.#message.args;
        if (type === TERMINATE) {
            this.draining = true;
        } else if (type === FLOW && this.#channels.hasFlow && isFlow(args)) {
            this.#channels.hold(args[0], args[1] === 1);
        } else if (type === RECALL && this.#gate.isKept && args?.length === 2 && isCount(args[0]) && isCount(args[1])) {
            this.#gate.recalled(Number(args[0]));
            this.#waiting.void(Number(args[1]));
            this.#channels.void(Number(args[1]));
        } else if (type !== 0) {
            broken(`a message of type ${type} on the control channel`);
        }
    }

    #onInvoke(data, at, number) {
        const message = this.#message, channels = this.#channels;
        let handler = this.#known;
        const size = message.dataEnd - message.dataAt;
        if (handler === undefined || handler.bytes.length !== size || !sameBytes(data, message.dataAt, handler.bytes, 0, size)) {
            handler = this.#known = this.#app.find(data.toString('utf8', message.dataAt, message.dataEnd));
        }
        const items = message.items ?? BARE;
        handler ??= this.#app.missing(data.toString('utf8', message.dataAt, message.dataEnd));
        if (handler.takesStreams) {
            this.#waiting.add(channels.open(number, handler, items));
        } else if (items === BARE && followsWhole(data, message.end, at, message)) {
            const end = message.end;
            this.#waiting.addWhole(number, handler, this.#own(data, message));
            message.end = end;
        } else {
            channels.open(number, handler, items);
        }
    }

    // The message's bytes, to be kept: a chunk in memory that is ours and holds little else stays there.
    #own(data, message) {
        const { dataAt, dataEnd } = message;
        return this.#isLent || dataEnd - dataAt < SHORT ? copyOf(data, dataAt, dataEnd) : data.subarray(dataAt, dataEnd);
    }

    #onChannel(channel, data) {
        const message = this.#message;
        if (message.type === WRITE) {
            if (message.dataAt < 0) {
                broken('a chunk without data');
            }
            if (!channel.ended && !channel.closed) {
                channel.add(this.#own(data, message));
            }
        } else if (message.type === CLOSE || message.type === ERROR) {
            const again = channel.closed;
            channel.closed = true;
            if (channel.ended) {
                this.#channels.forget(channel);
            } else if (message.type === ERROR) {
                this.#running.cancel(channel, errorOf(message.args));
            } else if (!again && !channel.handler.takesStreams) {
                this.#waiting.add(channel);
            } else {
                channel.settle();
            }
        } else {
            broken(`a message of type ${message.type} on a channel`);
        }
    }
}

// Memory of its own, which the app may keep: not of the pool for small buffers, of which a long one would keep nothing but itself anyway.
function memoryFor(size) {
    return size > SHORT ? Buffer.allocUnsafeSlow(size) : Buffer.allocUnsafe(size);
}

// The category, code and reason of an error's arguments; nothing when they are of another form.
function errorOf(args) {
    const [pair, reason] = args ?? [];
    return args?.length === 2 && Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger) && Buffer.isBuffer(reason)
        ? [...pair, reason.toString()] : [];
}

// [a channel, 1 or 0].
function isFlow(args) {
    return args?.length === 2 && isCount(args[0]) && (args[1] === 0 || args[1] === 1);
}

function isCount(value) {
    return (Number.isInteger(value) || typeof value === 'bigint') && value >= 0;
}

const SHORT = 128;

// A loop beats the call for few bytes.
function copyOf(data, at, end) {
    const size = end - at;
    const copy = Buffer.allocUnsafe(size);
    if (size > SHORT) {
        data.copy(copy, 0, at, end);
    } else {
        for (let i = 0; i < size; i++) {
            copy[i] = data[at + i];
        }
    }
    return copy;
}

module.exports = { Input };
