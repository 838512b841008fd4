// Adds to seal.json an opening by the library jose (npm install jose), and opens the one that is there.
import { readFileSync, writeFileSync } from 'node:fs';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { CompactEncrypt, CompactSign, calculateJwkThumbprint, compactDecrypt, compactVerify, exportJWK } from 'jose';

const file = JSON.parse(readFileSync('seal.json', 'utf8'));
const sender = createPrivateKey(file.sender), node = createPrivateKey(file.node), text = new TextEncoder();
const nameOf = async key => calculateJwkThumbprint(await exportJWK(createPublicKey(key)));
const [iss, aud] = [await nameOf(sender), await nameOf(node)];
if (iss !== file['sender-thumbprint'] || aud !== file['node-thumbprint']) throw new Error('thumbprints differ');

const outer = await compactVerify(file.openings[0].opening, createPublicKey(sender));
const inner = await compactDecrypt(outer.payload, node);
const { key } = JSON.parse(new TextDecoder().decode(inner.plaintext));
if (Buffer.from(key, 'base64url').toString('hex') !== file.key) throw new Error('keys differ');

const claims = { iss, aud, iat: file.now, exp: file.now + 60, jti: Buffer.alloc(16, 7).toString('base64url'), key };
const sealed = await new CompactEncrypt(text.encode(JSON.stringify(claims)))
  .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: aud }).encrypt(createPublicKey(node));
const opening = await new CompactSign(text.encode(sealed)).setProtectedHeader({ alg: 'PS256', kid: iss, cty: 'JWE' }).sign(sender);
const version = JSON.parse(readFileSync('node_modules/jose/package.json', 'utf8')).version;
file.openings[1] = { 'made-by': `jose ${version} (npm)`, opening };
writeFileSync('seal.json', JSON.stringify(file, null, 1) + '\n');
