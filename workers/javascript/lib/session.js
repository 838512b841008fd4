'use strict';

// One worker's conversation with the node: hands what has come to its parts, shows the answers, and ends when all is answered.

const { BeginGate } = require('./begin.js');
const { Channels } = require('./channel.js');
const { Ending } = require('./ending.js');
const { CONTROL } = require('./frames.js');
const { Heartbeat } = require('./heartbeat.js');
const { Input } = require('./input.js');
const { CONCURRENCY, QUICK_SECONDS } = require('./limits.js');
const { encode } = require('./msgpack.js');
const { Output } = require('./output.js');
const { Running } = require('./running.js');
const { Waiting } = require('./waiting.js');

class Session {
    #link;
    #channels;
    #output;
    #running;
    #waiting;
    #gate;
    #input;
    #heartbeat;
    #over;
    #isLeaving = false;

    /** `over` is called when the node has said terminate, everything is answered, and sent. */
    constructor(app, link, over, gate = new BeginGate(-1)) {
        this.#link = link;
        this.#over = over;
        this.#gate = gate;
        this.#output = new Output(link, () => this.#onFlushed());
        this.#channels = new Channels(link, this.#output, gate);
        const ending = new Ending(this.#output);
        this.#running = new Running(this.#output, ending, this.#channels);
        this.#waiting = new Waiting(gate, this.#running, this.#output);
        this.#channels.ended = () => this.#waiting.beginSoon();
        this.#input = new Input({
            app, channels: this.#channels, running: this.#running, waiting: this.#waiting, gate, output: this.#output,
        });
        this.#heartbeat = new Heartbeat(link, this.#output);
    }

    /** Shakes hands: the uuid as bin, which tells the node that we read bin. When the node has answered, the first heartbeat. */
    open(uuid) {
        this.#input.greeted = (abilities) => {
            this.#channels.hasFlow = abilities.flow === 1;
            this.#gate.open(abilities.begin === 1);
            this.#heartbeat.start();
        };
        const offer = this.#gate.hasPage ? { flow: 1, begin: 1, concurrency: CONCURRENCY } : { flow: 1, concurrency: CONCURRENCY };
        this.#output.raw(encode([CONTROL, 0, [Buffer.from(uuid), offer]]));
        this.#output.flush();
    }

    /** Takes what was read; the buffer is only lent. */
    receive(data) {
        const now = performance.now();
        this.#heartbeat.heard(now);
        this.#output.due = now + QUICK_SECONDS * 1000;
        this.#input.receive(data);
        this.#waiting.begin();
        this.#output.flush();
    }

    /** What was thrown where no handler could catch it. */
    stray(failure) {
        this.#running.stray(failure);
    }

    /** The channels whose handlers run. */
    underWay() {
        return this.#channels.underWay();
    }

    #onFlushed() {
        if (this.#input.draining && this.#channels.running === 0 && this.#waiting.isEmpty && !this.#isLeaving) {
            this.#isLeaving = true;
            this.#link.end(this.#over);
        }
    }
}

module.exports = { Session };
