#!/usr/bin/env node
'use strict';

// Runs an app's handlers without a node:
//
//     node testing.js app.mjs event < request          the answer's chunks go to standard output as they come
//
//     const { Runner } = require('cocaine/testing');
//     const runner = await Runner.load('app.mjs');     in a test
//     const answer = await runner.call('event', 'request');
//     answer.chunks, answer.error, answer.body
//
// The session is the worker's own, over a link to an object that plays the node: streams, headers and errors are as they will be.

const { App } = require('./app.js');
const { CLOSE, CONTROL, ERROR, WRITE } = require('./frames.js');
const { decodeFrom, encode, Truncated } = require('./msgpack.js');
const { Session } = require('./session.js');
const { state } = require('./state.js');

const CHANNEL = 2;
const TRACE = [[80, 'trace_id'], [81, 'span_id'], [82, 'parent_id']];
const BAD_REQUEST = [1000, 400], DEADLINE = [1000, 520];

/** The answer ended with an error. */
class AppError extends Error {
    constructor(category, code, reason) {
        super(`error ${category}.${code}: ${reason}`);
        this.name = 'AppError';
        this.category = category;
        this.code = code;
        this.reason = reason;
    }
}

/** What a caller would have got. */
class Answer {
    chunks = [];
    error = undefined;

    /** All chunks; throws the error when there is one. */
    get body() {
        if (this.error !== undefined) {
            throw this.error;
        }
        return Buffer.concat(this.chunks);
    }
}

/** An app, loaded once. */
class Runner {
    #app;

    constructor(app) {
        this.#app = app;
    }

    static async load(source, { name = 'app' } = {}) {
        state.worker.app = name;
        state.worker.uuid ??= 'testing';
        globalThis.cocaine ??= require('../index.js');
        return new Runner(await App.load(name, source));
    }

    /** Runs the event's handler; the request is the chunks. */
    call(event, ...chunks) {
        return this.stream(event, chunks);
    }

    /** The same; the chunks may come from anything that gives them. An abort of the signal is the caller's giving up. */
    async stream(event, chunks, { headers = [], onChunk = () => {}, signal } = {}) {
        const link = new Loop(onChunk);
        const session = new Session(this.#app, link, () => {});
        const send = (...messages) => session.receive(Buffer.concat(messages.map((message) => encode(message))));
        const giveUp = () => send([CHANNEL, ERROR, [DEADLINE, 'the caller gave up']]);
        send([CHANNEL, WRITE, [Buffer.from(event)], itemsOf(headers)]);
        signal?.addEventListener('abort', giveUp, { once: true });
        if (signal?.aborted) {
            giveUp();
        }
        request(chunks, link, send).catch((failure) => {
            send([CHANNEL, ERROR, [BAD_REQUEST, 'the request cannot be read']]);
            link.fail(failure);
        });
        try {
            return await link.answer;
        } finally {
            signal?.removeEventListener('abort', giveUp);
            send([CONTROL, 1, [1, 'done']]);
        }
    }
}

async function request(chunks, link, send) {
    for await (const chunk of chunks) {
        await link.room();
        if (link.isOver) {
            return;
        }
        send([CHANNEL, WRITE, [Buffer.from(chunk)]]);
    }
    send([CHANNEL, CLOSE, []]);
}

function itemsOf(headers) {
    const named = headers.map(([name]) => name);
    const bare = TRACE.filter(([, name]) => !named.includes(name)).map(([index]) => index);
    return [...bare, ...headers.map(([name, value]) => [false, Buffer.from(name), Buffer.from(value)])];
}

/** A link without a node: takes the answer apart. */
class Loop {
    #onChunk;
    #answer = new Answer();
    #rest = Buffer.alloc(0);
    #isTold = false;
    #waiting = [];
    #resolve;
    #reject;

    constructor(onChunk) {
        this.#onChunk = onChunk;
        this.isPaused = false;
        this.isOver = false;
        this.answer = new Promise((resolve, reject) => {
            this.#resolve = resolve;
            this.#reject = reject;
        });
    }

    fail(failure) {
        this.isOver = true;
        this.#reject(failure);
    }

    /** Resolves when the session takes more. */
    room() {
        return this.isPaused ? new Promise((resolve) => { this.#waiting.push(resolve); }) : Promise.resolve();
    }

    // What a session asks of its link.

    write(bytes, done) {
        this.#rest = Buffer.concat([this.#rest, bytes]);
        done?.();
        if (!this.#isTold) {
            this.#isTold = true;
            setImmediate(() => this.#takeAll()); // as over a socket: not while the handler is in the middle of something
        }
        return true;
    }

    whenDrained() {}

    pause() {
        this.isPaused = true;
    }

    resume() {
        this.isPaused = false;
        this.#waiting.splice(0).forEach((resolve) => resolve());
    }

    end(done) {
        done();
    }

    #takeAll() {
        this.#isTold = false;
        let at = 0;
        try {
            while (at < this.#rest.length) {
                const [[number, type, args], end] = decodeFrom(this.#rest, at, true);
                at = end;
                this.#take(number, type, args);
            }
        } catch (problem) {
            if (!(problem instanceof Truncated)) {
                this.fail(problem);
            }
        }
        this.#rest = this.#rest.subarray(at);
    }

    #take(number, type, args) {
        if (number !== CHANNEL || this.isOver) {
            return;
        }
        if (type === WRITE) {
            const chunk = Buffer.from(args[0]);
            this.#answer.chunks.push(chunk);
            this.#onChunk(chunk);
            return;
        }
        if (type === ERROR) {
            const [[category, code], reason] = args;
            this.#answer.error = new AppError(category, code, reason.toString());
        }
        this.isOver = true;
        this.#resolve(this.#answer);
    }
}

async function main(words) {
    const headers = [], rest = [];
    let isByLine = false;
    for (let i = 0; i < words.length; i++) {
        if (words[i] === '--header') {
            const [, name, value] = /^([^=]*)=?(.*)$/s.exec(words[++i] ?? '');
            headers.push([name, value]);
        } else if (words[i] === '--lines') {
            isByLine = true;
        } else {
            rest.push(words[i]);
        }
    }
    if (rest.length !== 2 || rest[0].startsWith('-')) {
        process.stderr.write('usage: testing.js [--header NAME=VALUE] [--lines] SOURCE EVENT < request\n');
        return 2;
    }
    const runner = await Runner.load(rest[0]);
    const answer = await runner.stream(rest[1], isByLine ? lines(process.stdin) : process.stdin, {
        headers,
        onChunk: (chunk) => process.stdout.write(chunk),
    });
    if (answer.error !== undefined) {
        process.stderr.write(`${answer.error.message}\n`);
        return 1;
    }
    return 0;
}

// Each line, with its end, is a chunk.
async function* lines(input) {
    let rest = Buffer.alloc(0);
    for await (const data of input) {
        rest = Buffer.concat([rest, data]);
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
            yield rest.subarray(0, end + 1);
            rest = rest.subarray(end + 1);
        }
    }
    if (rest.length > 0) {
        yield rest;
    }
}

module.exports = { Answer, AppError, Runner };

if (require.main === module) {
    main(process.argv.slice(2)).then((code) => {
        process.stdout.write('', () => process.exit(code)); // standard input may still be open
    }, (failure) => {
        console.error(failure);
        process.exit(1);
    });
}
