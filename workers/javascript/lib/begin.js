'use strict';

// What is begun: the node gives calls ahead of their turn, and may take back those that have not begun. The rules, and the page that both
// sides see, are in docs/worker-protocol.md, "What is begun".

const fs = require('node:fs');
const { CONTROL } = require('./frames.js');

const PAGE_BYTES = 4096, MAGIC = 'CBEGIN01';
const MOST_AT = 60, BEGUN_AT = 3072, RECALL_AT = 3200;

/** The page's descriptor, or -1: there is none, or it cannot be used. What the app starts does not see it. */
function openPage() {
    const name = process.env.COCAINE_BEGIN_PAGE;
    delete process.env.COCAINE_BEGIN_PAGE;
    // The order of a write before a read, see begin() below, is that of this architecture.
    if (process.arch !== 'x64' || !/^\d{1,9}$/.test(name ?? '')) {
        return -1;
    }
    const page = Number(name), magic = Buffer.alloc(MAGIC.length);
    try {
        if (fs.fstatSync(page).size === PAGE_BYTES && fs.readSync(page, magic, 0, magic.length, 0) === magic.length
            && magic.latin1Slice() === MAGIC) {
            return page; // closed on exec: Node.js does so with all that it inherits
        }
    } catch {
        // no descriptor
    }
    return -1;
}

/** Lets calls begin, or keeps them until others have ended, or until the node has said what it takes back. */
class BeginGate {
    #page;
    #words = new Uint32Array(4);        // `begun` twice, little-endian as the machine
    #wordsAsBytes = new Uint8Array(this.#words.buffer);
    #recall = new Uint32Array(1);
    #recallAsBytes = new Uint8Array(this.#recall.buffer);
    #highest = 0;                       // as written
    #read = 0;                          // the count of the last recall that was read
    #most = Infinity;

    constructor(page = openPage()) {
        this.#page = page;
        this.isKept = false;            // the node has granted the page: the words mean something
        this.isRecalling = false;       // the node takes calls back, and its message about it has not been read
        this.underWay = 0;              // calls that have begun and not ended
    }

    get hasPage() {
        return this.#page >= 0;
    }

    get room() {
        return this.isRecalling ? 0 : this.#most - this.underWay;
    }

    /** The node's answer to the handshake; comes before our next message. */
    open(isGranted) {
        if (this.#page >= 0 && isGranted) {
            this.isKept = true;
            fs.readSync(this.#page, this.#recallAsBytes, 0, 4, MOST_AT);
            this.#most = this.#recall[0] || Infinity;
            this.#write(CONTROL);
        }
    }

    /** Calls up to this channel are about to begin. False when the node takes calls back, maybe these: then its recall is read first. */
    begin(number) {
        if (!this.isKept) {
            return true;
        }
        if (number > this.#highest) {
            this.#write(number);
        }
        // Our write of `begun`, then our read of `recall`. Other half: the node stores `recall`, fences, and loads `begun`. The write ends
        // with the file's lock given back, on x86-64 a locked instruction, which no later load passes: so either the node sees that these
        // calls have begun, or we see its recall here.
        fs.readSync(this.#page, this.#recallAsBytes, 0, 4, RECALL_AT);
        this.isRecalling = this.#recall[0] !== this.#read;
        return !this.isRecalling;
    }

    /** The message of the recall with that count has been read. A later one is found with the next begin. */
    recalled(count) {
        this.#read = count;
        this.isRecalling = false;
    }

    // Twice, because the kernel may copy byte by byte: the node takes it for a number when both are the same.
    #write(number) {
        this.#highest = number;
        this.#words[0] = this.#words[2] = number >>> 0;
        this.#words[1] = this.#words[3] = Math.floor(number / 0x100000000);
        fs.writeSync(this.#page, this.#wordsAsBytes, 0, 16, BEGUN_AT);
    }
}

module.exports = { BeginGate };
