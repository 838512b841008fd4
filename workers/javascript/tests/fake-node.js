'use strict';

// A node for tests: starts a worker and speaks the protocol with it.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { decodeFrom, encode, Truncated } = require('../lib/msgpack.js');

const PATIENCE_MS = 30_000; // only a failing test waits that long

class FakeNode {
    static async start(app, env = {}, abilities = { flow: 1 }, page = 'ignore') {
        const node = new FakeNode();
        node.abilities = abilities;
        node.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fake-node-'));
        const endpoint = path.join(node.folder, 's');
        const server = net.createServer();
        server.listen(endpoint);
        await once(server, 'listening');
        node.process = spawn(process.execPath, [
            path.join(__dirname, '../cocaine-worker.js'), '--app', 'test', '--uuid', 'u-1', '--endpoint', endpoint, '--locator', '-',
            '--protocol', '1', path.join(__dirname, 'apps', app),
        ], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe', page] });
        node.process.stderr.on('data', (data) => { node.stderr += data; node.wake(); });
        node.process.stdout.on('data', (data) => { node.stdout += data; });
        node.exited = once(node.process, 'close').then(([code]) => { node.code = code; node.wake(); return code; });
        const connected = once(server, 'connection').then(([socket]) => socket);
        node.socket = await Promise.race([connected, node.exited.then(() => undefined)]);
        server.close();
        node.socket?.on('data', (data) => node.receive(data));
        node.socket?.on('error', () => {});
        if (node.socket !== undefined) {
            await Promise.race([node.until(() => node.inbox.has(1)).catch(() => {}), node.exited]);
        }
        return node;
    }

    constructor() {
        this.stderr = this.stdout = '';
        this.inbox = new Map();     // the worker's messages by channel: [type, args]
        this.heartbeats = 0;
        this.rest = Buffer.alloc(0);
        this.waiting = [];
        this.next = 2;
        this.isMidMessage = false;  // no answer to a heartbeat now
    }

    receive(data) {
        this.rest = Buffer.concat([this.rest, data]);
        let at = 0;
        try {
            while (at < this.rest.length) {
                const [[number, type, args], end] = decodeFrom(this.rest, at, true);
                at = end;
                if (number === 1 && type === 0 && args.length === 0) {
                    this.heartbeats++;
                    if (!this.isMidMessage) {
                        this.send([1, 0, []]);
                    }
                } else {
                    if (number === 1 && type === 0) {
                        this.send([1, 0, [this.abilities]]);
                    }
                    if (!this.inbox.has(number)) {
                        this.inbox.set(number, []);
                    }
                    this.inbox.get(number).push([type, args]);
                }
            }
        } catch (cut) {
            if (!(cut instanceof Truncated)) {
                throw cut;
            }
        }
        this.rest = this.rest.subarray(at);
        this.wake();
    }

    wake() {
        this.waiting.splice(0).forEach((resolve) => resolve());
    }

    send(...messages) {
        this.socket.write(Buffer.concat(messages.map((message) => encode(message))));
    }

    open(event, { headers = [80, 81, 82] } = {}) {
        const number = this.next++;
        this.send([number, 0, [event], headers]);
        return number;
    }

    invoke(event, ...chunks) {
        const number = this.next++;
        this.send([number, 0, [event], [80, 81, 82]], ...chunks.map((chunk) => [number, 0, [Buffer.from(chunk)]]), [number, 2, []]);
        return number;
    }

    async until(condition) {
        const late = Date.now() + PATIENCE_MS;
        for (let value = condition(); ; value = condition()) {
            if (value) {
                return value;
            }
            if (Date.now() > late || this.code !== undefined) {
                throw new Error(`${condition}: exit code ${this.code}, ${this.stderr}`);
            }
            let timer;
            await new Promise((resolve) => {
                this.waiting.push(resolve);
                timer = setTimeout(resolve, PATIENCE_MS);
            });
            clearTimeout(timer);
        }
    }

    hold(number) {
        this.send([1, 2, [number, 1]]);
    }

    goOn(number) {
        this.send([1, 2, [number, 0]]);
    }

    /** What the worker has asked of the channel so far: 1 to hold, 0 to go on. */
    askedFlow(number) {
        return (this.inbox.get(1) ?? []).filter(([type, args]) => type === 2 && args[0] === number).map(([, args]) => args[1]);
    }

    async chunk(number) {
        const [type, [data]] = await this.until(() => this.inbox.get(number)?.shift());
        if (type !== 0) {
            throw new Error(`message of type ${type}: ${data}`);
        }
        return data.toString();
    }

    /** [chunks, error]: the error as [category, code, reason], or undefined. */
    async answer(number) {
        await this.until(() => this.inbox.get(number)?.at(-1)?.[0] > 0);
        const messages = this.inbox.get(number);
        this.inbox.delete(number);
        const [type, args] = messages.pop();
        return [messages.map(([, [data]]) => data), type === 1 ? [...args[0], args[1].toString()] : undefined];
    }

    call(event, ...chunks) {
        return this.answer(this.invoke(event, ...chunks));
    }

    stop() {
        this.process.kill('SIGKILL');
        this.socket?.destroy();
        fs.rmSync(this.folder, { recursive: true });
    }
}

module.exports = { FakeNode };
