'use strict';

// The calls that have come and have not begun, in the order of their channels.

const { BURST_CALLS, BURST_SECONDS, PROVEN_RUNS, QUICK_SECONDS } = require('./limits.js');

/** A whole request without a channel. */
class Whole {
    constructor(number, handler, body) {
        this.number = number;
        this.handler = handler;
        this.body = body;
    }
}

class Waiting {
    #calls = [];
    #at = 0;                // the first of them that waits
    #gate;
    #running;
    #output;
    #together = 1;          // calls that begin at once
    #willBegin = false;
    #beginNow = () => {
        this.#willBegin = false;
        this.begin();
        this.#output.flush();
    };

    constructor(gate, running, output) {
        this.#gate = gate;
        this.#running = running;
        this.#output = output;
    }

    get isEmpty() {
        return this.#at === this.#calls.length;
    }

    addWhole(number, handler, body) {
        this.#calls.push(new Whole(number, handler, body));
    }

    add(channel) {
        this.#calls.push(channel);
    }

    /** A call has ended, or the node has said what it takes back: others may begin, not within the code that runs now. */
    beginSoon() {
        if (!this.#willBegin && !this.isEmpty && this.#gate.room > 0) {
            this.#willBegin = true;
            setImmediate(this.#beginNow);
        }
    }

    /**
     * Runs those that may begin. Small ones of proven handlers begin together: to begin costs two system calls. After a moment the loop has
     * its turn, so that the node is heard, and what others wait for.
     */
    begin() {
        const calls = this.#calls, gate = this.#gate;
        const until = performance.now() + QUICK_SECONDS * 1000;
        let then = 0;
        while (this.#at < calls.length) {
            const count = this.#countTogether();
            if (count === 0) {
                return;
            }
            let last = 0;
            for (let i = this.#at; i < this.#at + count; i++) {
                last = Math.max(last, calls[i].number);
            }
            if (!gate.begin(last)) {
                return;
            }
            then = performance.now();
            for (let i = 0; i < count && gate.room > 0; i++) { // the rest has begun, as the node sees it, and runs when there is room
                this.#run(calls[this.#at++]);
            }
            const now = performance.now();
            this.#together = now - then < BURST_SECONDS * 1000 * count ? BURST_CALLS : 1;
            if (now > until) {
                break;
            }
        }
        if (this.isEmpty) {
            calls.length = this.#at = 0;
        } else {
            calls.splice(0, this.#at);
            this.#at = 0;
            this.beginSoon();
        }
    }

    /** The caller of a whole request gave up. Whether it waited here: then it never begins. */
    cancel(number) {
        const index = this.#calls.findIndex((call, at) => at >= this.#at && call.number === number && call instanceof Whole);
        return index >= 0 && this.#calls.splice(index, 1).length > 0;
    }

    /** The node has taken back what has not begun from this channel on: it was never here. */
    void(from) {
        this.#calls = this.#calls.filter((call, at) => at >= this.#at && call.number < from);
        this.#at = 0;
    }

    #run(call) {
        if (call instanceof Whole) {
            this.#running.runWhole(call.number, call.handler, call.body);
        } else if (!call.ended) {
            this.#gate.underWay++;
            call.begun = true;
            this.#running.run(call);
        }
    }

    #countTogether() {
        if (this.#gate.room <= 0) {
            return 0;
        }
        const calls = this.#calls, most = Math.min(this.#together, calls.length - this.#at);
        let count = 0;
        while (count < most && isProven(calls[this.#at + count])) {
            count++;
        }
        return Math.max(count, 1);
    }
}

// A plain function that answers at once.
function isProven(call) {
    return call instanceof Whole && !call.handler.waits && call.handler.streak >= PROVEN_RUNS;
}

module.exports = { Waiting };
