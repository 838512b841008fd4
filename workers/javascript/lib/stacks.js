'use strict';

// SIGUSR2 lists the calls that wait. The node sends it before it kills a worker that hangs. It needs the loop: the stack of one that is
// busy is shown upon SIGINT, by --trace-sigint, with which the node starts workers. The node sends that one a moment after the other.

const { say } = require('./failures.js');
const { STACK_CALLS } = require('./limits.js');

exports.install = function install(session) {
    if (process.listenerCount('SIGUSR2') > 0) {
        return; // the app has one of its own
    }
    process.on('SIGUSR2', () => {
        const now = performance.now();
        const waiting = session.underWay();
        const lines = waiting.slice(0, STACK_CALLS).map((channel) => {
            const ms = Math.round(now - channel.openedAt);
            return `  ${channel.event}, for ${ms} ms${channel.isCancelled ? ', its caller has given up' : ''}`;
        });
        const first = `cocaine: process ${process.pid} is idle or between two steps; ${waiting.length} call(s) wait for something`;
        say([first, ...lines].join('\n'));
    });
};
