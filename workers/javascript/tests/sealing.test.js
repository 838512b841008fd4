'use strict';

// Sealed calls, against records and keys that other libraries have made (tests/Core.Tests/Vectors).

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { SealError, Sealer, Session, frame, thumbprint } = require('../lib/sealing.js');

const VECTORS = path.join(__dirname, '../../../tests/Core.Tests/Vectors/seal.json');
const vectors = fs.existsSync(VECTORS) ? JSON.parse(fs.readFileSync(VECTORS)) : undefined;
const skip = vectors === undefined && 'the vectors are in the repository only';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sealing-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

function file(name, text) {
    const at = path.join(folder, name);
    fs.writeFileSync(at, text);
    return at;
}

const nodeKey = vectors && crypto.createPrivateKey(vectors.node), sender = vectors && file('own.pem', vectors.sender);
const node = vectors && file('node.pub', crypto.createPublicKey(nodeKey).export({ type: 'spki', format: 'pem' }));
const unurl = (text) => Buffer.from(text, 'base64url');

/** The node's end of a session: seals answers with what the opening has. */
class NodeEnd {
    constructor(opening) {
        const [head, content, signature] = opening.toString().split('.');
        const [inner, wrapped, vector, hidden, tag] = String(unurl(content)).split('.');
        this.heads = [JSON.parse(unurl(head)), JSON.parse(unurl(inner))];
        this.signed = crypto.verify('sha256', Buffer.from(`${head}.${content}`),
            { key: crypto.createPublicKey(vectors.sender), padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, unurl(signature));
        const key = crypto.privateDecrypt(
            { key: nodeKey, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, unurl(wrapped));
        const cipher = crypto.createDecipheriv('aes-256-gcm', key, unurl(vector)).setAAD(Buffer.from(inner)).setAuthTag(unurl(tag));
        this.claims = JSON.parse(Buffer.concat([cipher.update(unurl(hidden)), cipher.final()]));
        const digest = crypto.createHash('sha256').update(opening).digest();
        this.id = digest.subarray(0, 16);
        this.secret = Buffer.from(crypto.hkdfSync('sha256', unurl(this.claims.key), digest, 'cocaine-fast seal 1 to-client', 36));
        this.counter = 0;
    }

    answer(event, job, chunk, kind, text) {
        const field = Buffer.alloc(8), tied = Buffer.alloc(17);
        field.writeBigUInt64BE(BigInt(++this.counter));
        field[0] = kind;
        tied.writeBigUInt64BE(BigInt(job), 0);
        tied.writeBigUInt64BE(BigInt(chunk), 8);
        tied[16] = kind;
        const cipher = crypto.createCipheriv('aes-256-gcm', this.secret.subarray(0, 32), Buffer.concat([this.secret.subarray(32), field]));
        cipher.setAAD(Buffer.concat([Buffer.of(1, 1), Buffer.from(`shop\0${event}\0`), tied, Buffer.alloc(20, 255), Buffer.of(0)]));
        return Buffer.concat([this.id, field, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    }
}

test('thumbprints', { skip }, () => assert.equal(thumbprint(crypto.createPublicKey(nodeKey)), vectors['node-thumbprint']));

test('records of both directions', { skip }, () => {
    const session = new Session(Buffer.from(vectors.openings[0].opening), Buffer.from(vectors.key, 'hex'));
    for (const one of vectors.records) {
        const tail = Buffer.alloc(38);
        tail.writeBigUInt64BE(BigInt(one.job), 0);
        tail.writeBigUInt64BE(BigInt(one.chunk), 8);
        tail[16] = one.kind;
        tail.writeBigInt64BE(BigInt(one.request_timeout), 17);
        tail.writeBigInt64BE(BigInt(one.silence_timeout), 25);
        tail.writeInt32BE(one.retry_limit, 33);
        tail[37] = one.urgent;
        const tied = Buffer.concat([Buffer.from(`shop\0${vectors.event}\0`), tail]);
        const record = Buffer.from(one.record, 'hex'), text = Buffer.from(one.text, 'hex');
        if (one.direction === 'to-node') {
            assert.deepEqual(session.seal(one.kind, one.counter, tied, text), record);
        } else {
            assert.deepEqual(session.open(record, tied), text);
        }
    }
});

test('an opening has the form', { skip }, () => {
    const sealer = new Sealer('shop', sender, node), [opening] = sealer.begin('invoice'), end = new NodeEnd(opening);
    assert.deepEqual(end.heads, [{ alg: 'PS256', kid: vectors['sender-thumbprint'], cty: 'JWE' },
        { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: vectors['node-thumbprint'] }]);
    assert.ok(end.signed);
    assert.deepEqual(Object.keys(end.claims), ['iss', 'aud', 'iat', 'exp', 'jti', 'key']);
    assert.deepEqual([end.claims.iss, end.claims.aud, end.claims.exp - end.claims.iat],
        [vectors['sender-thumbprint'], vectors['node-thumbprint'], 60]);
    assert.deepEqual([unurl(end.claims.jti).length, unurl(end.claims.key).length], [16, 32]);
    const [number, again] = sealer.begin('invoice');
    assert.deepEqual(number, end.id);
    sealer.forget(again);
    assert.notDeepEqual(sealer.begin('invoice')[0], opening);
});

test('answers open at their place only', { skip }, () => {
    const begin = () => {
        const sealer = new Sealer('shop', sender, node), [opening, call] = sealer.begin('echo');
        call.seal('question', true);
        return [call, new NodeEnd(opening), sealer];
    };
    const broken = (make) => {
        const [call, end, sealer] = begin();
        assert.throws(() => make(call, end, sealer), SealError);
    };
    const [call, end] = begin(), first = end.answer('echo', 1, 0, 0, 'first');
    assert.equal(String(call.open(first)), 'first');
    assert.throws(() => call.open(first), SealError); // repeated
    assert.equal(call.open(end.answer('echo', 1, 1, 1, '')), null);
    assert.ok(call.ended);
    assert.throws(() => call.open(end.answer('echo', 1, 2, 0, 'more')), SealError);

    broken((one, its) => one.open(its.answer('echo', 2, 0, 0, 'of another job')));
    broken((one, its) => one.open(its.answer('other', 1, 0, 0, 'of another event')));
    broken((one, its) => one.open(its.answer('echo', 1, 1, 0, 'at another place')));
    broken((one) => one.open(begin()[1].answer('echo', 1, 0, 0, 'of another session')));
    broken((one, its, sealer) => { // swapped answers of two calls
        const second = sealer.begin('echo')[1];
        second.seal('question', true);
        second.open(its.answer('echo', 1, 0, 0, 'first'));
    });
    for (let i = 0; i < first.length; i++) {
        broken((one, its) => {
            const record = its.answer('echo', 1, 0, 0, 'first');
            record[i] ^= 1;
            one.open(record);
        });
    }
    for (const length of [0, 15, 39, 40]) {
        broken((one, its) => one.open(its.answer('echo', 1, 0, 0, 'first').subarray(0, length)));
    }
});

test('an error is opened, and wrong keys are refused', { skip }, () => {
    const [opening, call] = new Sealer('shop', sender, node).begin('echo');
    call.seal('question', true);
    const text = Buffer.concat([Buffer.from([0, 0, 3, 0xe8, 0, 0, 1, 0xf6]), Buffer.from('broken')]);
    assert.equal(call.open(new NodeEnd(opening).answer('echo', 1, 0, 2, text)), null);
    assert.deepEqual(call.error, { category: 1000, code: 502, text: 'broken' });
    const curve = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    assert.throws(() => new Sealer('shop', file('curve.pem', curve), node), /expected an RSA key/);
});

test('frames', () => {
    assert.equal(frame(Buffer.alloc(16), Buffer.from('rr')).toString('latin1'), 'CFS1\x02rr');
    assert.equal(frame(Buffer.alloc(300, 'o'), Buffer.from('rr')).toString('latin1'), `CFS1\x01\x01\x2c${'o'.repeat(300)}rr`);
});
