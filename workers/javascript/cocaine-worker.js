#!/usr/bin/env node
'use strict';

// Starts a JavaScript worker; the node runs this file. See lib/worker.js. Old syntax only, so that an old Node can say that it is old.

var least = 18;
if (parseInt(process.versions.node, 10) < least) {
    process.stderr.write('Node.js ' + least + ' or later is needed, ' + process.execPath + ' is ' + process.versions.node + '\n');
    process.exit(1);
}

require('./lib/worker.js').main(process.argv.slice(2));
