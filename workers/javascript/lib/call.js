'use strict';

// What a handler can ask about the call that it answers.

const { BARE, numberOf, readItems } = require('./headers.js');

const NEVER = new AbortController().signal;

/** Headers are decoded only when the handler asks. */
class Call {
    constructor(handler) {
        this.handler = handler;
        this.items = BARE;
    }

    get event() { return this.handler.event; }
    get app() { return this.handler.app; }
    get headers() { return readItems(this.items); }
    get traceId() { return numberOf(this.header('trace_id')); }
    get spanId() { return numberOf(this.header('span_id')); }
    get parentId() { return numberOf(this.header('parent_id')); }
    get signal() { return NEVER; }
    get cancelled() { return false; }
    get cancellation() { return undefined; }

    header(name) {
        return this.headers.find((pair) => pair[0] === name)?.[1];
    }
}

module.exports = { Call };
