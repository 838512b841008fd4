'use strict';

// What a handler threw, for the log and for the caller. Nothing here throws: what was thrown may be unable to show itself.

const { inspect } = require('node:util');

const MOST_CHARACTERS = 4096;   // of an error's text to the caller: a reason, not a document
const MOST_SHOWN = 1 << 16;     // of it in the log

const UNSHOWN = 'something was thrown that cannot be shown';

/** Writes it into the log, and gives the text for callers: without stacks, so without the folders of the app. */
function report(failure) {
    try {
        const shown = inspect(failure);
        const text = shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)} … (${shown.length} characters in all)` : shown;
        process.stderr.write(`${failure instanceof Error ? text : `uncaught: ${text}`}\n`);
    } catch {
        say(UNSHOWN); // its own getters throw, or it is a Proxy whose traps do
    }
    try {
        return textOf(failure).slice(0, MOST_CHARACTERS);
    } catch {
        return UNSHOWN;
    }
}

function textOf(failure) {
    if (failure instanceof Error) {
        const message = failure.message;
        return message ? `${failure.name}: ${message}` : `${failure.name}`;
    }
    // Errors inside of it are shown with their stacks.
    return typeof failure === 'string' ? failure : inspect(failure).replace(/\n\s+at [^\n]*/g, '');
}

function say(text) {
    try {
        process.stderr.write(`${text}\n`);
    } catch {
        // There is no stderr: the caller gets the text all the same.
    }
}

/** Whether it is what reads, writes and the signal of a cancelled call throw. */
function isOfCancel(failure, Cancelled) {
    try {
        return failure instanceof Cancelled || failure?.name === 'AbortError';
    } catch {
        return false;
    }
}

module.exports = { isOfCancel, report, say };
