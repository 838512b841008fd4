// Types of the client whose calls are sealed.

/// <reference types="node" />

import type { Wishes } from './sealing';

export { SealError } from './sealing';

/** The node or the app has answered with an error. */
export class CallError extends Error {
    readonly category: number;
    readonly code: number;
}

export interface Settings {
    app: string;
    /** Files: the caller's private key, PKCS#8 PEM, and the node's public key, PEM. */
    key: string;
    nodeKey: string;
    /** The longest silence of the node while it owes an answer, seconds; 30 when not given. */
    timeout?: number;
}

/** One connection to a native-server or native-sink, several calls side by side. */
export class SealedClient {
    /** endpoint: tcp://HOST:PORT or ipc:///path. */
    static connect(endpoint: string, settings: Settings): Promise<SealedClient>;
    /** Calls an event; the whole answer. */
    call(event: string, request?: Uint8Array | string, wishes?: Wishes): Promise<Buffer>;
    /** Calls an event with a request of several chunks; the chunks of the answer. */
    stream(event: string, chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>, wishes?: Wishes): AsyncGenerator<Buffer>;
    close(): void;
}
