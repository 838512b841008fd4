'use strict';

// The way to the node and back: its socket.

const net = require('node:net');
const { nodeGone } = require('./exits.js');
const { BEHIND_BYTES, READ_BYTES } = require('./limits.js');

class Link {
    #endpoint;
    #socket;
    #isOpen = false;
    #drained = () => {};

    constructor(endpoint) {
        this.#endpoint = endpoint;
    }

    /** Connects; then tells of everything that comes. The bytes are only lent. */
    open(connected, received) {
        const socket = this.#socket = net.connect({
            path: this.#endpoint,
            writableHighWaterMark: BEHIND_BYTES,
            onread: {
                buffer: Buffer.allocUnsafeSlow(READ_BYTES),
                callback: (count, buffer) => {
                    received(buffer.subarray(0, count));
                    return true;
                },
            },
        });
        socket.on('connect', () => {
            this.#isOpen = true;
            connected();
        });
        socket.on('error', (failure) => {
            if (this.#isOpen) {
                nodeGone();
            }
            process.stderr.write(`cannot reach the node at ${this.#endpoint}: ${failure.message}\n`);
            process.exit(1);
        });
        socket.on('end', nodeGone);
        socket.on('close', nodeGone);
        socket.on('drain', () => this.#drained());
    }

    /** False when more is unsent than should be. The bytes must stay as they are until `done` is called. */
    write(bytes, done) {
        return this.#socket.write(bytes, done);
    }

    /** Calls this when a write may follow one that gave false. */
    whenDrained(callback) {
        this.#drained = callback;
    }

    get isPaused() {
        return this.#socket.isPaused();
    }

    /** Takes nothing more from the node, which then holds the callers back. */
    pause() {
        this.#socket.pause();
    }

    resume() {
        this.#socket.resume();
    }

    /** Sends what is left. */
    end(done) {
        this.#socket.end(done);
    }
}

module.exports = { Link };
