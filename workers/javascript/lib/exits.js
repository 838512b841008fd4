'use strict';

// The ways in which a worker ends when it cannot go on.

const BROKEN_PIPE = 70; // the node wrote what it must not

function die(code, text) {
    process.stderr.write(`cocaine: ${text}\n`);
    process.exit(code);
}

exports.die = die;

exports.broken = function broken(text) {
    die(BROKEN_PIPE, `the node broke the protocol: ${text}`);
};

/** Nobody is left to tell; finishing what runs would be work for nobody. */
exports.nodeGone = function nodeGone() {
    process.exit(0);
};
