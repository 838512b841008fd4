// The sealed calls that every language's client makes: node client.js SDK ENDPOINT APP KEY NODE-KEY
'use strict';

const assert = require('node:assert/strict');
const [sdk, endpoint, app, key, nodeKey] = process.argv.slice(2);
const { CallError, SealedClient } = require(`${sdk}/lib/sealed-client.js`);

async function main() {
    const client = await SealedClient.connect(endpoint, { app, key, nodeKey });
    for (let i = 0; i < 300; i++) {
        const answer = await client.call('echo', `hello ${i}`, { requestTimeout: 20000, urgent: i % 2 === 1, retryLimit: 1 });
        assert.equal(String(answer), `hello ${i}`);
    }
    assert.equal((await client.call('echo')).length, 0);
    const large = Buffer.alloc(256 * 40000, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    assert.ok((await client.call('echo', large)).equals(large));
    const chunks = [];
    for await (const chunk of client.stream('echo', ['one;', 'two;', 'three'])) {
        chunks.push(chunk);
    }
    assert.equal(String(Buffer.concat(chunks)), 'one;two;three');
    const counted = [];
    for await (const chunk of client.stream('count', ['3'])) {
        counted.push(String(chunk).trim());
    }
    console.log(counted.join(' '));
    await client.call('fail', 'the reason').catch((error) => {
        assert.ok(error instanceof CallError);
        console.log(error.category, error.code, error.message);
    });
    client.close();

    const stranger = await SealedClient.connect(endpoint, { app: 'another', key, nodeKey });
    await stranger.call('echo', 'x').catch((error) => console.log(error.code, error.message));
    stranger.close();
}

main();
