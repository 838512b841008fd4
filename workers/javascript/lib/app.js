'use strict';

// The app: its module, and the handlers in it.

const { Call } = require('./call.js');
const { CATEGORY, NOT_FOUND } = require('./frames.js');
const { pathToFileURL } = require('node:url');
const path = require('node:path');

/** A function of the app, and how to call it. */
class Handler {
    constructor(event, app, invoke) {
        const kind = invoke.constructor?.name;
        this.event = event;
        this.app = app;
        this.invoke = invoke;
        this.takesStreams = invoke.length >= 2;
        this.waits = kind === 'AsyncFunction' || kind === 'AsyncGeneratorFunction' || this.takesStreams; // its calls last over many turns
        this.streak = 0;                // quick runs in a row; see running.js
        this.bytes = Buffer.from(event);
        this.call = new Call(this);     // what such a call is when nothing is special about it
    }
}

class App {
    constructor(name, exported) {
        this.name = name;
        this.handlers = new Map();
        for (const [event, target] of functionsOf(exported)) {
            this.handlers.set(event, new Handler(event, name, target));
        }
    }

    static async load(name, source) {
        const file = require.resolve(path.resolve(source)); // a folder with a package.json or an index.js, too
        return new App(name, await import(pathToFileURL(file).href));
    }

    find(event) {
        return this.handlers.get(event);
    }

    /** In the place of a handler that the app does not have: a call to it begins like any other. */
    missing(event) {
        return new Handler(event, this.name, (request, response) => {
            response.error(NOT_FOUND, `there is no event '${event}' in app '${this.name}'`, CATEGORY);
        });
    }
}

// What the module exports by name, and what a default export, or CommonJS's module.exports, has. Classes are no events.
function* functionsOf(exported) {
    const whole = exported.default;
    const sources = whole !== null && typeof whole === 'object' ? [whole, exported] : [exported];
    for (const source of sources) {
        for (const event of Object.keys(source)) {
            const target = source[event];
            if (typeof target === 'function' && event !== 'default' && !/^class\b/.test(Function.prototype.toString.call(target))) {
                yield [event, source === whole ? bound(target, whole) : target];
            }
        }
    }
}

// Methods of an exported object see it as `this`; what tells a handler's form stays the function's own.
function bound(method, owner) {
    const same = method.bind(owner);
    Object.defineProperty(same, 'length', { value: method.length });
    Object.defineProperty(same, 'constructor', { value: method.constructor });
    return same;
}

module.exports = { App };
