'use strict';

// What a handler threw, for the log and for the caller. Nothing here throws: what was thrown may be unable to show itself.

const { inspect } = require('node:util');

const { ChunkTooLong } = require('./chunk-too-long.js');
const { APP_ERROR, TOO_LARGE } = require('./frames.js');
const { FAILURE_TEXT_BYTES, LOG_TEXT_BYTES } = require('./limits.js');

const UNSHOWN = 'something was thrown that cannot be shown';

/**
 * Writes it into the log, and gives the text for callers, cut to no less than the bytes that go to them: without stacks, so without the
 * folders of the app.
 */
function report(failure) {
    try {
        const shown = inspect(failure);
        const head = cut(shown, LOG_TEXT_BYTES).toString();
        const text = head.length < shown.length ? `${head} … (${shown.length} characters in all)` : shown;
        process.stderr.write(`${failure instanceof Error ? text : `uncaught: ${text}`}\n`);
    } catch {
        say(UNSHOWN); // its own getters throw, or it is a Proxy whose traps do
    }
    try {
        return textOf(failure).slice(0, FAILURE_TEXT_BYTES);
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

/** The text as UTF-8, cut at a character's border where it is longer. */
function cut(text, most) {
    const bytes = Buffer.from(text.length > most ? text.slice(0, most) : text);
    let end = Math.min(bytes.length, most);
    while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) {
        end--;
    }
    return bytes.subarray(0, end);
}

/** The code of the error that it becomes. */
function codeOf(failure) {
    try {
        return failure instanceof ChunkTooLong ? TOO_LARGE : APP_ERROR;
    } catch {
        return APP_ERROR; // a Proxy whose traps throw
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

module.exports = { codeOf, cut, isOfCancel, report, say };
