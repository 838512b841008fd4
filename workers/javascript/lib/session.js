'use strict';

// One worker's conversation with the node: takes messages apart, runs handlers, keeps the heartbeat.
//
// Answers share sends, but an answer must not wait for other code that takes long. So a handler has to prove itself: only after PROVEN
// quick runs in a row are its answers collected; before each step of any other one, everything written so far is sent.

const { Cancelled } = require('./cancelled.js');
const { Channel, Request, Response } = require('./channel.js');
const { isOfCancel, report, say } = require('./failures.js');
const { CONTROL, WRITE, ERROR, CLOSE, Message, followsWhole, sameBytes } = require('./frames.js');
const { BARE } = require('./headers.js');
const { encode, Truncated } = require('./msgpack.js');
const { nameOf } = require('./output.js');
const { install } = require('./stacks.js');
const { state } = require('./state.js');

const PROVEN = 16;
const QUICK_MS = 1;                                 // answers wait no longer than this for others
const BEAT_MS = Math.min(5000, Number(process.env.COCAINE_HEARTBEAT_MS) || 5000);   // the node may want one more often
const SILENCE_MS = 120_000;                         // a node that is not stuck has sent something within this time
const MAX_MESSAGE_BYTES = (64 << 20) + (1 << 16);   // the node's bound for a message, and room for its frame
const MAX_UNREAD_BYTES = 16 << 20;                  // of streamed requests that handlers have not read; past it nothing more is taken
const BROKEN = 70;                                  // exit code: the node wrote what it must not
const CATEGORY = 1000, NOT_FOUND = 404, APP_ERROR = 502;
const GRACE_MS = 1000;                              // after a cancel, for a handler to end by itself; then its call is ended for it
const MOST_ABANDONED = 256;                         // handlers that go on all the same; past it calls stay open: the node replaces us
const HEARTBEAT = Buffer.of(0x93, CONTROL, 0x00, 0x90);

class Session {
    constructor(app, output, socket) {
        this.app = app;
        this.output = output;
        this.socket = socket;
        this.isOpen = false;
        this.channels = new Map();  // until both sides have ended
        this.running = 0;           // channels that we have not ended
        this.last = CONTROL;        // the highest channel so far
        this.draining = false;
        this.leaving = false;
        this.unread = 0;
        this.due = 0;               // when what is written must be sent
        this.willFlush = false;
        this.heardAt = 0;
        this.rest = [];             // the start of a message whose end has not come
        this.restBytes = 0;
        this.need = 0;
        this.message = new Message();
        this.abandoned = 0;         // handlers that run though their call has been ended for them
        this.known = undefined;     // the last handler that was found: the next request is probably for it
        this.flushNow = () => {
            this.willFlush = false;
            this.flush();
        };
    }

    /** Shakes hands: the uuid as bin, which tells the node that we read bin; then the first heartbeat. */
    open(uuid) {
        this.isOpen = true;
        this.heardAt = performance.now();
        this.output.raw(encode([CONTROL, 0, [Buffer.from(uuid)]]));
        this.beat();
        setInterval(() => this.beat(), BEAT_MS);
        install(this);
        process.on('uncaughtException', (failure) => this.stray(failure));
        process.on('unhandledRejection', (failure) => this.stray(failure));
    }

    beat() {
        if (performance.now() - this.heardAt > SILENCE_MS && !this.socket.isPaused()) {
            this.leave(1, `the node has said nothing for ${SILENCE_MS / 1000} s`);
        }
        this.output.raw(HEARTBEAT);
        this.flush();
    }

    leave(code, text) {
        process.stderr.write(`cocaine: ${text}\n`);
        process.exit(code);
    }

    broken(text) {
        this.leave(BROKEN, `the node broke the protocol: ${text}`);
    }

    /** Nobody is left to tell; finishing what runs would be work for nobody. */
    nodeGone() {
        process.exit(0);
    }

    // What comes in.

    /** Takes what was read; the buffer is only lent. */
    receive(data) {
        this.heardAt = performance.now();
        let isLent = true;
        if (this.restBytes > 0) {
            this.rest.push(Buffer.from(data));
            this.restBytes += data.length;
            if (this.restBytes < this.need) {
                return;
            }
            data = this.rest.length === 1 ? this.rest[0] : Buffer.concat(this.rest);
            this.rest = [];
            this.restBytes = 0;
            isLent = false;
        }
        this.due = this.heardAt + QUICK_MS;
        let at = 0;
        try {
            while (at < data.length) {
                at = this.step(data, at);
            }
        } catch (problem) {
            if (!(problem instanceof Truncated)) {
                this.broken(problem.message);
            }
            if (problem.need > MAX_MESSAGE_BYTES) {
                this.broken(`a message of more than ${MAX_MESSAGE_BYTES} bytes`);
            }
            at = this.at;
            this.rest.push(isLent ? Buffer.from(data.subarray(at)) : data.subarray(at));
            this.restBytes = data.length - at;
            this.need = problem.need;
        }
        this.flush();
    }

    // One message; where the next one begins. Handlers never throw out of here.
    step(data, at) {
        this.at = at;
        const message = this.message;
        message.read(data, at);
        const number = message.number;
        if (number > this.last) {
            if (message.type !== WRITE || message.dataAt < 0) {
                this.broken(`a message of type ${message.type} on channel ${number}, which is not open`);
            }
            this.last = number;
            this.onInvoke(data, at, number);
            return message.end;
        }
        const end = message.end;
        const channel = this.channels.get(number);
        if (channel !== undefined) {
            this.onChannel(channel, data);
        } else if (number === CONTROL) {
            this.onControl(message.type);
        } else if (message.type > CLOSE) {
            this.broken(`a message of type ${message.type}`);
        }
        return end; // else it is late: for a channel that both sides have ended
    }

    onControl(type) {
        if (type === 1) {
            this.draining = true;
            this.flushSoon();
        } else if (type !== 0) {
            this.broken(`a message of type ${type} on the control channel`);
        }
    }

    onInvoke(data, at, number) {
        const message = this.message;
        let handler = this.known;
        const size = message.dataEnd - message.dataAt;
        if (handler === undefined || handler.bytes.length !== size || !sameBytes(data, message.dataAt, handler.bytes, 0, size)) {
            handler = this.known = this.app.find(data.toString('utf8', message.dataAt, message.dataEnd));
        }
        const items = message.items ?? BARE;
        if (handler === undefined) {
            const event = data.toString('utf8', message.dataAt, message.dataEnd);
            this.endWithError(this.openChannel(number, undefined, items), CATEGORY, NOT_FOUND,
                `there is no event '${event}' in app '${this.app.name}'`);
        } else if (handler.takesStreams) {
            this.run(this.openChannel(number, handler, items));
        } else if (items === BARE && followsWhole(data, message.end, at, message)) {
            const end = message.end;
            this.runWhole(number, handler, copyOf(data, message.dataAt, message.dataEnd));
            message.end = end;
        } else {
            this.openChannel(number, handler, items);
        }
    }

    openChannel(number, handler, items) {
        const channel = new Channel(number, handler, items === BARE ? BARE : copyItems(items));
        this.channels.set(number, channel);
        this.running++;
        return channel;
    }

    onChannel(channel, data) {
        const message = this.message;
        if (message.type === WRITE) {
            if (message.dataAt < 0) {
                this.broken('a chunk without data');
            }
            if (!channel.ended && !channel.closed) {
                channel.chunks.push(copyOf(data, message.dataAt, message.dataEnd));
                if (channel.handler.takesStreams) {
                    this.onUnread(message.dataEnd - message.dataAt);
                    channel.settle();
                }
            }
        } else if (message.type === CLOSE || message.type === ERROR) {
            const again = channel.closed;
            channel.closed = true;
            if (channel.ended) {
                this.channels.delete(channel.number);
            } else if (message.type === ERROR) {
                this.cancel(channel);
            } else if (!again && !channel.handler.takesStreams) {
                this.run(channel);
            } else {
                channel.settle();
            }
        } else {
            this.broken(`a message of type ${message.type} on a channel`);
        }
    }

    // The caller gave up. A handler that runs sees it in its signal, its reads and its writes; one that does not is not started.
    cancel(channel) {
        channel.cancel();
        if (!channel.started) {
            this.endWithError(channel, CATEGORY, APP_ERROR, 'cancelled');
        } else {
            setTimeout(() => this.abandon(channel), GRACE_MS).unref();
        }
    }

    // A promise cannot be ended from outside, and one that waits for ever must not keep its call open.
    abandon(channel) {
        if (channel.ended || this.abandoned >= MOST_ABANDONED) {
            return;
        }
        this.abandoned++;
        channel.isAbandoned = true;
        say(`cocaine: '${channel.event}' goes on though its caller gave up ${GRACE_MS} ms ago: its answer is dropped. `
            + 'A handler sees a cancel by its call\'s signal.');
        this.endWithError(channel, CATEGORY, APP_ERROR, 'cancelled');
        this.flushSoon();
    }

    // The handler of a call has come to its end.
    settled(channel) {
        if (channel.isAbandoned) {
            channel.isAbandoned = false;
            this.abandoned--;
        }
    }

    onUnread(size) {
        this.unread += size;
        if (this.unread > MAX_UNREAD_BYTES) {
            this.socket.pause();
        }
    }

    onRead(chunk) {
        this.unread -= chunk.length;
        if (this.unread <= MAX_UNREAD_BYTES / 2 && this.socket.isPaused()) {
            this.socket.resume();
        }
    }

    // Handlers.

    /**
     * A whole request. When its handler is a plain function that has shown that it answers at once, that is all: no channel is made, and no
     * context that would follow it through its awaits.
     */
    runWhole(number, handler, body) {
        if (handler.waits || handler.streak < PROVEN) {
            const channel = this.openChannel(number, handler, BARE);
            channel.closed = true;
            channel.chunks.push(body);
            this.run(channel);
            return;
        }
        const then = performance.now();
        let answer, failure, failed = false;
        state.quick = handler.call;
        try {
            answer = handler.invoke(body);
            if (typeof answer === 'string' || answer instanceof Uint8Array) {
                this.output.chunk(number, answer);
                answer = undefined;
            }
        } catch (raised) {
            failure = raised;
            failed = true;
        }
        state.quick = undefined;
        if (failed) {
            this.output.error(number, CATEGORY, APP_ERROR, report(failure));
        } else if (answer === undefined || answer === null) {
            this.output.close(number);
        } else {
            const channel = this.openChannel(number, handler, BARE);
            channel.closed = channel.started = true;
            state.calls.run(channel, () => this.tryGive(channel, answer));
        }
        this.judge(handler, then);
    }

    judge(handler, then) {
        const now = performance.now();
        handler.streak = now - then > QUICK_MS ? 0 : handler.streak + 1;
        if (now > this.due) {
            this.flush();
            this.due = now + QUICK_MS;
        }
    }

    run(channel) {
        const handler = channel.handler;
        channel.started = true;
        if (handler.streak < PROVEN) {
            this.flush();
        }
        const then = performance.now();
        state.calls.run(channel, () => {
            try {
                const answer = handler.takesStreams ? handler.invoke(new Request(this, channel), new Response(this, channel))
                    : handler.invoke(channel.body());
                this.give(channel, answer);
            } catch (failure) {
                this.fail(channel, failure);
            }
        });
        this.judge(handler, then);
    }

    tryGive(channel, answer) {
        try {
            this.give(channel, answer);
        } catch (failure) {
            this.fail(channel, failure);
        }
    }

    // What a handler gave back: nothing, a chunk, a promise of these, or something that gives chunks.
    give(channel, answer) {
        this.settled(channel);
        if (answer === undefined || answer === null || channel.ended) {
            this.end(channel);
        } else if (typeof answer === 'string' || answer instanceof Uint8Array) {
            this.writeChunk(channel.number, answer);
            this.end(channel);
        } else if (typeof answer.then === 'function') {
            channel.handler.waits = true;
            answer.then((value) => this.tryGive(channel, value), (failure) => this.fail(channel, failure));
            return;
        } else if (typeof answer[Symbol.asyncIterator] === 'function') {
            this.stream(channel, answer[Symbol.asyncIterator](), true);
        } else if (typeof answer[Symbol.iterator] === 'function') {
            this.stream(channel, answer[Symbol.iterator](), false);
        } else {
            throw new TypeError(`a handler gives bytes, text or an iterable of them, not ${nameOf(answer)}`);
        }
        this.flushSoon();
    }

    // Sends an iterator's chunks. A plain one gives way after a moment, so that the node is heard and others have their turns.
    async stream(channel, chunks, isAsync) {
        let until = performance.now() + QUICK_MS;
        let done = false;
        try {
            while (!channel.isCancelled && !channel.ended) {
                const step = isAsync ? await chunks.next() : chunks.next();
                if (step.done) {
                    done = true;
                    break;
                }
                if (channel.isCancelled || channel.ended) {
                    break;
                }
                this.writeChunk(channel.number, step.value);
                this.flushSoon();
                if (this.output.isBehind) {
                    await this.output.caughtUp();
                } else if (!isAsync && performance.now() > until) {
                    await new Promise(setImmediate);
                    until = performance.now() + QUICK_MS;
                }
            }
            if (channel.isCancelled) {
                throw new Cancelled();
            }
            this.end(channel);
            this.flushSoon();
        } catch (failure) {
            this.fail(channel, failure);
        }
        if (!done) {
            try {
                await chunks.return?.(); // its finally blocks
            } catch (failure) {
                report(failure);
            }
        }
        this.settled(channel);
    }

    // A rejection that nobody handled, or what a callback threw. When it comes from a call's code, that call has failed; the worker goes
    // on.
    stray(failure) {
        const channel = state.calls.getStore();
        if (channel !== undefined && !channel.ended) {
            this.fail(channel, failure);
        } else {
            report(failure);
        }
    }

    // Answers.

    get isBehind() {
        return this.output.isBehind;
    }

    caughtUp() {
        return this.output.caughtUp();
    }

    writeChunk(number, chunk) {
        this.output.chunk(number, chunk);
    }

    /** Our one terminal message, unless it has been sent. */
    end(channel) {
        if (!channel.ended) {
            this.output.close(channel.number);
            this.forget(channel);
        }
    }

    endWithError(channel, category, code, text) {
        if (!channel.ended) {
            this.output.error(channel.number, category, code, text);
            this.forget(channel);
        }
    }

    fail(channel, failure) {
        this.settled(channel);
        const isCancel = channel.isCancelled && isOfCancel(failure, Cancelled);
        const text = isCancel ? 'cancelled' : report(failure); // too late for the caller perhaps, not for the log
        this.endWithError(channel, CATEGORY, APP_ERROR, text);
        this.flushSoon();
    }

    forget(channel) {
        channel.ended = true;
        this.running--;
        if (channel.handler?.takesStreams) {
            channel.chunks.forEach((chunk) => this.onRead(chunk));
        }
        channel.chunks = [];
        if (channel.closed) {
            this.channels.delete(channel.number);
        }
    }

    flush() {
        this.output.flush();
        if (this.draining && this.running === 0 && !this.leaving) {
            this.leaving = true;
            this.socket.end(() => process.exit(0));
        }
    }

    /** Everything that is written until the loop's turn is over goes out together. */
    flushSoon() {
        if (!this.willFlush) {
            this.willFlush = true;
            setImmediate(this.flushNow);
        }
    }
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

function copyItems(items) {
    return items.map((item) => Array.isArray(item) ? item.map((part) => Buffer.isBuffer(part) ? Buffer.from(part) : part) : item);
}

module.exports = { Session };
