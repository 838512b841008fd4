'use strict';

// The heartbeat, and what it tells: whether the node is still there.

const { die } = require('./exits.js');
const { HEARTBEAT } = require('./frames.js');
const { HEARTBEAT_SECONDS, NODE_SILENCE_SECONDS } = require('./limits.js');

const BEAT_MS = Math.min(HEARTBEAT_SECONDS * 1000, Number(process.env.COCAINE_HEARTBEAT_MS) || HEARTBEAT_SECONDS * 1000);

class Heartbeat {
    #link;
    #output;
    #heardAt = 0;

    constructor(link, output) {
        this.#link = link;
        this.#output = output;
    }

    /** The first one now, the others as they are due. */
    start() {
        this.#heardAt = performance.now();
        this.#beat();
        setInterval(() => this.#beat(), BEAT_MS);
    }

    /** The node has sent something. */
    heard(now) {
        this.#heardAt = now;
    }

    #beat() {
        if (performance.now() - this.#heardAt > NODE_SILENCE_SECONDS * 1000 && !this.#link.isPaused) {
            die(1, `the node has said nothing for ${NODE_SILENCE_SECONDS} s`);
        }
        this.#output.raw(HEARTBEAT);
        this.#output.flush();
    }
}

module.exports = { Heartbeat };
