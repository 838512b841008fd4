'use strict';

// Runs handlers.
//
// Answers share sends (see output.js), but an answer must not wait for other code that takes long. So a handler has to prove itself: only
// after PROVEN_RUNS quick runs in a row are its answers collected; before each step of any other one, everything written so far is sent.

const { codeOf, report } = require('./failures.js');
const { APP_ERROR, CATEGORY } = require('./frames.js');
const { GRACE_SECONDS, PROVEN_RUNS, QUICK_SECONDS } = require('./limits.js');
const { nameOf } = require('./output.js');
const { state } = require('./state.js');
const { Request, Response } = require('./streams.js');

const QUICK_MS = QUICK_SECONDS * 1000;

class Running {
    #output;
    #ending;
    #channels;

    constructor(output, ending, channels) {
        this.#output = output;
        this.#ending = ending;
        this.#channels = channels;
    }

    /**
     * A whole request. When its handler is a plain function that has shown that it answers at once, that is all: no channel is made, and no
     * context that would follow it through its awaits.
     */
    runWhole(number, handler, body) {
        if (handler.waits || handler.streak < PROVEN_RUNS) {
            const channel = this.#channels.begin(number, handler);
            channel.chunks.push(body);
            this.run(channel);
            return;
        }
        const output = this.#output;
        const then = performance.now();
        let answer, failure, failed = false;
        state.quick = handler.call;
        try {
            answer = handler.invoke(body);
            if (typeof answer === 'string' || answer instanceof Uint8Array) {
                output.chunk(number, answer);
                answer = undefined;
            }
        } catch (raised) {
            failure = raised;
            failed = true;
        }
        state.quick = undefined;
        if (failed) {
            output.error(number, CATEGORY, codeOf(failure), report(failure));
        } else if (answer === undefined || answer === null) {
            output.close(number);
        } else {
            const channel = this.#channels.begin(number, handler);
            channel.started = true;
            state.calls.run(channel, () => this.#tryGive(channel, answer));
        }
        this.#judge(handler, then);
    }

    run(channel) {
        const handler = channel.handler, output = this.#output;
        channel.started = true;
        if (handler.streak < PROVEN_RUNS) {
            output.flush();
        }
        const then = performance.now();
        state.calls.run(channel, () => {
            try {
                const answer = handler.takesStreams
                    ? handler.invoke(new Request(channel), new Response(channel, output, this.#ending))
                    : handler.invoke(channel.body());
                this.#give(channel, answer);
            } catch (failure) {
                this.#ending.fail(channel, failure);
            }
        });
        this.#judge(handler, then);
    }

    /** The caller gave up. A handler that runs sees it in its signal, its reads and its writes; one that does not is not started. */
    cancel(channel, error) {
        channel.cancel(error);
        if (!channel.started) {
            this.#ending.endWithError(channel, APP_ERROR, 'cancelled');
        } else {
            setTimeout(() => this.#ending.abandon(channel), GRACE_SECONDS * 1000).unref();
        }
    }

    /** A rejection that nobody handled, or what a callback threw. When it comes from a call's code, that call fails; the worker goes on. */
    stray(failure) {
        const channel = state.calls.getStore();
        if (channel !== undefined && !channel.ended) {
            this.#ending.fail(channel, failure);
        } else {
            report(failure);
        }
    }

    #judge(handler, then) {
        const now = performance.now();
        handler.streak = now - then > QUICK_MS ? 0 : handler.streak + 1;
        if (now > this.#output.due) {
            this.#output.flush();
            this.#output.due = now + QUICK_MS;
        }
    }

    #tryGive(channel, answer) {
        try {
            this.#give(channel, answer);
        } catch (failure) {
            this.#ending.fail(channel, failure);
        }
    }

    // What a handler gave back: nothing, a chunk, a promise of these, or something that gives chunks.
    #give(channel, answer) {
        const ending = this.#ending;
        ending.settled(channel);
        if (answer === undefined || answer === null || channel.ended) {
            ending.end(channel);
        } else if (typeof answer === 'string' || answer instanceof Uint8Array) {
            this.#output.chunk(channel.number, answer);
            ending.end(channel);
        } else if (typeof answer.then === 'function') {
            channel.handler.waits = true;
            answer.then((value) => this.#tryGive(channel, value), (failure) => ending.fail(channel, failure));
            return;
        } else if (typeof answer[Symbol.asyncIterator] === 'function') {
            this.#stream(channel, answer[Symbol.asyncIterator](), true);
        } else if (typeof answer[Symbol.iterator] === 'function') {
            this.#stream(channel, answer[Symbol.iterator](), false);
        } else {
            throw new TypeError(`a handler gives bytes, text or an iterable of them, not ${nameOf(answer)}`);
        }
        this.#output.flushSoon();
    }

    // Sends an iterator's chunks. A plain one gives way after a moment, so that the node is heard and others have their turns.
    async #stream(channel, chunks, isAsync) {
        const output = this.#output, ending = this.#ending;
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
                output.chunk(channel.number, step.value);
                output.flushSoon();
                if (output.mustWait(channel)) {
                    await output.turn(channel);
                } else if (!isAsync && performance.now() > until) {
                    await new Promise(setImmediate);
                    until = performance.now() + QUICK_MS;
                }
            }
            if (channel.isCancelled) {
                throw channel.cancellation;
            }
            ending.end(channel);
            output.flushSoon();
        } catch (failure) {
            ending.fail(channel, failure);
        }
        if (!done) {
            try {
                await chunks.return?.(); // its finally blocks
            } catch (failure) {
                report(failure);
            }
        }
        ending.settled(channel);
    }
}

module.exports = { Running };
