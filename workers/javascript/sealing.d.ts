// Types of the module that makes and opens the bytes of sealed calls.

/// <reference types="node" />

import type { KeyObject } from 'node:crypto';

/** A record is not what the node has sealed for this call, or an answer was cut. */
export class SealError extends Error {}

/** The wishes of a call; they must be those of its headers. Times in ms. */
export interface Wishes {
    requestTimeout?: number;
    silenceTimeout?: number;
    retryLimit?: number;
    urgent?: boolean;
}

/** The records of one call, in both directions. */
export interface Call {
    /** The next record of the request. */
    seal(chunk: Uint8Array | string, last?: boolean): Buffer;
    /** The chunk of a record of the answer; null for the record that ends it. Throws a SealError. */
    open(record: Buffer): Buffer | null;
    /** The record that ends the answer has come. */
    readonly ended: boolean;
    /** The error that this record has. */
    readonly error: { category: number; code: number; text: string } | null;
    /** The call brings the opening of its session. */
    readonly opens: boolean;
}

/** Opens sessions with one node for one app. */
export class Sealer {
    /** Files: the caller's private key, PKCS#8 PEM, and the node's public key, PEM. */
    constructor(app: string, keyFile: string, nodeKeyFile: string);
    /** Begins a call: the value of its header `seal`, and the call. */
    begin(event: string, wishes?: Wishes): [seal: Buffer, call: Call];
    /** The node does not know the session of a call: the next call opens another one. */
    forget(call: Call): void;
}

/** The body frame of a ZeroMQ message. A frame is a whole request: its record is the last one. */
export function frame(seal: Buffer, record: Buffer): Buffer;

/** RFC 7638, SHA-256. */
export function thumbprint(key: KeyObject): string;
