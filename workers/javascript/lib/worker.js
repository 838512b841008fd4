'use strict';

// Start of a worker: loads the app, connects, shakes hands, serves.

const { App } = require('./app.js');
const { BeginGate } = require('./begin.js');
const { Link } = require('./link.js');
const { Session } = require('./session.js');
const { install } = require('./stacks.js');
const { state } = require('./state.js');

const VALUED = ['--app', '--uuid', '--endpoint', '--locator', '--protocol'];

exports.main = async function main(words) {
    const { options, source, rest } = parse(words);
    if (source === undefined || options['--endpoint'] === undefined) {
        process.stderr.write(
            'usage: cocaine-worker.js --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE\n');
        process.exit(2);
    }
    const worker = state.worker;
    worker.app = options['--app'] ?? 'app';
    worker.uuid = options['--uuid'] ?? '';
    worker.version = Number(process.env.COCAINE_APP_VERSION ?? 0);
    process.argv = [process.argv[0], source, ...rest];
    globalThis.cocaine = require('../index.js'); // apps need no node_modules to find it
    const gate = new BeginGate(); // before the app, which is not to see the page
    let app;
    try {
        app = await App.load(worker.app, source);
    } catch (failure) {
        console.error(failure);
        process.exit(1);
    }
    serve(app, options['--endpoint'], worker.uuid, gate);
};

// Options that the node gives, the app's path, and the app's own words after it. Unknown options are passed over.
function parse(words) {
    const options = {};
    for (let i = 0; i < words.length; i++) {
        if (VALUED.includes(words[i])) {
            options[words[i]] = words[++i];
        } else if (!words[i].startsWith('--')) {
            return { options, source: words[i], rest: words.slice(i + 1) };
        }
    }
    return { options, source: undefined, rest: [] };
}

function serve(app, endpoint, uuid, gate) {
    const link = new Link(endpoint);
    const session = new Session(app, link, () => process.exit(0), gate);
    link.open(() => {
        session.open(uuid);
        install(session);
        process.on('uncaughtException', (failure) => session.stray(failure));
        process.on('unhandledRejection', (failure) => session.stray(failure));
    }, (data) => session.receive(data));
}
