'use strict';

// How channels end: with one terminal message of ours, a close or an error.

const { Cancelled } = require('./cancelled.js');
const { codeOf, isOfCancel, report, say } = require('./failures.js');
const { APP_ERROR, CATEGORY } = require('./frames.js');
const { ABANDONED_CALLS, GRACE_SECONDS } = require('./limits.js');

class Ending {
    #output;
    #abandoned = 0; // handlers that run though their call has been ended for them

    constructor(output) {
        this.#output = output;
    }

    /** Our one terminal message, unless it has been sent. */
    end(channel) {
        if (!channel.ended) {
            this.#output.close(channel.number);
            this.#forget(channel);
        }
    }

    endWithError(channel, code, text, category = CATEGORY) {
        if (!channel.ended) {
            this.#output.error(channel.number, category, code, text);
            this.#forget(channel);
        }
    }

    /** Whatever the failure is: the channel is ended with an error, once. */
    fail(channel, failure) {
        this.settled(channel);
        const isCancel = channel.isCancelled && isOfCancel(failure, Cancelled);
        const text = isCancel ? 'cancelled' : report(failure); // too late for the caller perhaps, not for the log
        this.endWithError(channel, isCancel ? APP_ERROR : codeOf(failure), text);
        this.#output.flushSoon();
    }

    /** A promise cannot be ended from outside, and one that waits for ever must not keep its call open. */
    abandon(channel) {
        if (channel.ended || this.#abandoned >= ABANDONED_CALLS) {
            return;
        }
        this.#abandoned++;
        channel.isAbandoned = true;
        say(`cocaine: '${channel.event}' goes on though its caller gave up ${GRACE_SECONDS * 1000} ms ago: its answer is dropped. `
            + 'A handler sees a cancel by its call\'s signal.');
        this.endWithError(channel, APP_ERROR, 'cancelled');
        this.#output.flushSoon();
    }

    /** The handler of a call has come to its end. */
    settled(channel) {
        if (channel.isAbandoned) {
            channel.isAbandoned = false;
            this.#abandoned--;
        }
    }

    #forget(channel) {
        channel.ended = true;
        channel.letGo();
        channel.channels.onEnd(channel);
        channel.drop();
        if (channel.closed) {
            channel.channels.forget(channel);
        }
    }
}

module.exports = { Ending };
