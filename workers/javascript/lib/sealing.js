'use strict';

// Sealed calls, for clients: openings of sessions and their records, as docs/protocol.md has them. No sockets.
//
//     const sealer = new Sealer('shop', 'billing.pem', 'node.pub');
//     const [seal, call] = sealer.begin('invoice');    // seal is the value of the call's header
//     call.seal(chunk, true) -> record                 call.open(record) -> chunk, or null at the end

const crypto = require('node:crypto');
const fs = require('node:fs');

const MORE = 0, LAST = 1, ERROR = 2;                     // the kinds of records
const ID_BYTES = 16, HEAD_BYTES = 24, TAG_BYTES = 16, KEY_BYTES = 32, SECRET_BYTES = 36;
const OPENING_SECONDS = 60;                              // an opening is good for so long
const SESSION_MS = 3540e3, IDLE_MS = 540e3;              // a minute less than the node's bounds
const MOST_RECORDS = 2 ** 31;                            // half of the node's bound
const MOST_MS = 366 * 24 * 3600 * 1000, MOST_RETRIES = 1000; // larger values count as these
const CIPHER = 'aes-256-gcm';

/** A record is not what the node has sealed for this call, or an answer was cut. */
class SealError extends Error {
    get name() {
        return 'SealError';
    }
}

/** RFC 7638, SHA-256. */
function thumbprint(key) {
    const { e, n } = key.export({ format: 'jwk' });
    return crypto.createHash('sha256').update(`{"e":"${e}","kty":"RSA","n":"${n}"}`).digest('base64url');
}

function readKey(file, make) {
    const key = make(fs.readFileSync(file));
    const { modulusLength, publicExponent } = key.asymmetricKeyType === 'rsa' ? key.asymmetricKeyDetails : {};
    if (!(modulusLength >= 2048 && modulusLength <= 4096)) {
        throw new TypeError(`${file}: expected an RSA key of 2048 to 4096 bits`);
    }
    if (publicExponent !== 65537n) {
        throw new TypeError(`${file}: the key's public exponent is not 65537`);
    }
    return key;
}

/** Opens sessions with one node for one app. */
class Sealer {
    #app;
    #key;
    #node;
    #ownName;
    #nodeName;
    #session = null;

    /** keyFile: the caller's private key, PKCS#8 PEM; nodeKeyFile: the node's public key, PEM. */
    constructor(app, keyFile, nodeKeyFile) {
        this.#app = app;
        this.#key = readKey(keyFile, crypto.createPrivateKey);
        this.#node = readKey(nodeKeyFile, crypto.createPublicKey);
        this.#ownName = thumbprint(crypto.createPublicKey(this.#key));
        this.#nodeName = thumbprint(this.#node);
    }

    /**
     * Begins a call: the value of its header `seal`, and the call. The wishes, requestTimeout and silenceTimeout in ms, retryLimit and
     * urgent, must be those of the call's headers.
     */
    begin(event, { requestTimeout, silenceTimeout, retryLimit, urgent = false } = {}) {
        if (this.#session === null || this.#session.isOld()) {
            this.#session = new Session(...this.#open());
        }
        const wishes = Buffer.alloc(21);
        wishes.writeBigInt64BE(bounded(requestTimeout, MOST_MS), 0);
        wishes.writeBigInt64BE(bounded(silenceTimeout, MOST_MS), 8);
        wishes.writeInt32BE(Number(bounded(retryLimit, MOST_RETRIES)), 16);
        wishes[20] = urgent ? 1 : 0;
        const session = this.#session, seal = session.header();
        return [seal, new Call(session, Buffer.from(`${this.#app}\0${event}\0`), wishes, seal.length > ID_BYTES)];
    }

    /** The node does not know the session of a call: the next call opens another one. */
    forget(call) {
        if (call.session === this.#session) {
            this.#session = null;
        }
    }

    #open() {
        const secret = crypto.randomBytes(KEY_BYTES), now = Math.floor(Date.now() / 1000);
        const claims = {
            iss: this.#ownName, aud: this.#nodeName, iat: now, exp: now + OPENING_SECONDS,
            jti: crypto.randomBytes(16).toString('base64url'), key: secret.toString('base64url'),
        };
        const key = crypto.randomBytes(KEY_BYTES), vector = crypto.randomBytes(12);
        const head = json({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: this.#nodeName });
        const cipher = crypto.createCipheriv(CIPHER, key, vector).setAAD(Buffer.from(head));
        const hidden = Buffer.concat([cipher.update(JSON.stringify(claims)), cipher.final()]);
        const wrapped = crypto.publicEncrypt(
            { key: this.#node, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, key);
        const inner = [head, ...[wrapped, vector, hidden, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.');
        const text = `${json({ alg: 'PS256', kid: this.#ownName, cty: 'JWE' })}.${Buffer.from(inner).toString('base64url')}`;
        const signature = crypto.sign(
            'sha256', Buffer.from(text), { key: this.#key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
        return [Buffer.from(`${text}.${signature.toString('base64url')}`), secret];
    }
}

function json(members) {
    return Buffer.from(JSON.stringify(members)).toString('base64url');
}

function bounded(value, most) {
    return value === undefined || value === null ? -1n : BigInt(Math.min(value, most));
}

/** The body frame of a ZeroMQ message to a zeromq-server or zeromq-sink. A frame is a whole request: its record is the last one. */
function frame(seal, record) {
    return seal.length === ID_BYTES ? Buffer.concat([Buffer.from('CFS1\x02'), record])
        : Buffer.concat([Buffer.from('CFS1\x01'), Buffer.of(seal.length >> 8, seal.length & 255), seal, record]);
}

/** The keys of both directions. */
class Session {
    #opening;
    #toNode;
    #toClient;
    #counter = 0;
    #made = performance.now();
    #used = performance.now();

    constructor(opening, secret) {
        const digest = crypto.createHash('sha256').update(opening).digest();
        const derive = (way) => Buffer.from(crypto.hkdfSync('sha256', secret, digest, `cocaine-fast seal 1 ${way}`, SECRET_BYTES));
        this.id = digest.subarray(0, ID_BYTES);
        this.#opening = opening;
        this.#toNode = derive('to-node');
        this.#toClient = derive('to-client');
    }

    isOld() {
        const now = performance.now(), waits = this.#opening !== null && now - this.#made > OPENING_SECONDS * 500;
        return waits || now - this.#made > SESSION_MS || now - this.#used > IDLE_MS || this.#counter > MOST_RECORDS;
    }

    /** The opening, once; then the number of the session. */
    header() {
        const opening = this.#opening;
        this.#used = performance.now();
        this.#opening = null;
        return opening ?? this.id;
    }

    nextCounter() {
        return ++this.#counter;
    }

    seal(kind, counter, tied, text) {
        const head = Buffer.alloc(HEAD_BYTES);
        this.id.copy(head);
        head.writeBigUInt64BE(BigInt(counter), ID_BYTES);
        head[ID_BYTES] = kind;
        const cipher = crypto.createCipheriv(CIPHER, this.#toNode.subarray(0, KEY_BYTES), nonce(this.#toNode, head));
        cipher.setAAD(Buffer.concat([Buffer.of(1, 0), tied]));
        return Buffer.concat([head, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    }

    open(record, tied) {
        const cut = record.length - TAG_BYTES;
        const cipher = crypto.createDecipheriv(
            CIPHER, this.#toClient.subarray(0, KEY_BYTES), nonce(this.#toClient, record), { authTagLength: TAG_BYTES });
        cipher.setAAD(Buffer.concat([Buffer.of(1, 1), tied])).setAuthTag(record.subarray(cut));
        const text = cipher.update(record.subarray(HEAD_BYTES, cut));
        try {
            cipher.final();
        } catch {
            throw new SealError('a record of the answer does not open: it was changed, moved, or comes from somebody else');
        }
        return text;
    }
}

function nonce(secret, record) {
    return Buffer.concat([secret.subarray(KEY_BYTES), record.subarray(ID_BYTES, HEAD_BYTES)]);
}

/** The records of one call, in both directions. */
class Call {
    #place;
    #wishes;
    #job = 0;
    #sent = 0;
    #got = 0;

    constructor(session, place, wishes, opens) {
        this.session = session;
        this.opens = opens;     // the call brings the opening of its session
        this.#place = place;
        this.#wishes = wishes;
        this.ended = false;     // the record that ends the answer has come
        this.error = null;      // category, code and text that it has
    }

    /** The next record of the request. */
    seal(chunk, last = false) {
        const counter = this.session.nextCounter(), kind = last ? LAST : MORE;
        this.#job ||= counter;
        return this.session.seal(kind, counter, this.#tied(this.#sent++, kind), chunk);
    }

    /** The chunk of a record of the answer; null for the record that ends it. */
    open(record) {
        if (this.ended || !Buffer.isBuffer(record) || record.length < HEAD_BYTES + TAG_BYTES
            || !record.subarray(0, ID_BYTES).equals(this.session.id)) {
            throw new SealError('the answer goes on with what is no record of it');
        }
        const kind = record[ID_BYTES], text = this.session.open(record, this.#tied(this.#got, kind));
        this.#got++;
        if (kind === MORE) {
            return text;
        }
        this.ended = true;
        if (kind === ERROR) {
            this.error = { category: text.readInt32BE(0), code: text.readInt32BE(4), text: text.toString('utf8', 8) };
        }
        return null;
    }

    #tied(chunk, kind) {
        const numbers = Buffer.alloc(17);
        numbers.writeBigUInt64BE(BigInt(this.#job), 0);
        numbers.writeBigUInt64BE(BigInt(chunk), 8);
        numbers[16] = kind;
        return Buffer.concat([this.#place, numbers, this.#wishes]);
    }
}

module.exports = { SealError, Sealer, Session, frame, thumbprint };
