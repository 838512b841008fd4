// Types of the SDK. In a worker it is the global `cocaine`; `import … from 'cocaine'` works where the package is installed.

/// <reference types="node" />

/** What can be sent: bytes, or text as UTF-8. */
export type Chunk = Uint8Array | string;

/** What a handler may give: nothing, a chunk, chunks one after another, or a promise of these. */
export type Answer = Given | Promise<Given>;

/** What such a promise resolves to. */
export type Given = void | null | undefined | Chunk | Iterable<Chunk> | AsyncIterable<Chunk>;

/** An exported function with one parameter: gets the whole request. */
export type Handler = (request: Buffer) => Answer;

/** An exported function with two parameters: gets the request as it comes, and may write its answer. */
export type StreamHandler = (request: Request, response: Response) => Answer;

/** The call that is being answered. */
export interface Call {
    readonly event: string;
    /** The app's name. */
    readonly app: string;
    /** The headers in their order: names as text, values as bytes. */
    readonly headers: [name: string, value: Buffer][];
    /** The value of the first header of that name. */
    header(name: string): Buffer | undefined;
    /** 0n when the call is not traced. */
    readonly traceId: bigint;
    readonly spanId: bigint;
    readonly parentId: bigint;
    /** Aborted, with a Cancelled as its reason, when the caller gives up. */
    readonly signal: AbortSignal;
    /** Whether the caller has given up. */
    readonly cancelled: boolean;
    /** With the caller's error, once the caller has given up. */
    readonly cancellation: Cancelled | undefined;
}

/** The request's chunks, as they come. */
export interface Request extends Call, AsyncIterable<Buffer> {
    /** The next chunk, or null at the end. Rejects with Cancelled when the caller gives up. */
    read(): Promise<Buffer | null>;
    /** All the rest. */
    body(): Promise<Buffer>;
}

/** The answer. It is closed when the handler is done, unless it has ended before. */
export interface Response {
    readonly signal: AbortSignal;
    readonly cancelled: boolean;
    /** Sends a chunk. Await it to wait while the caller is slow to take the answer. Throws Cancelled when the caller has given up. */
    write(chunk: Chunk): Promise<void>;
    /** Ends the answer with an error of the app's own; the category is 42 when none is given. */
    error(code: number, text?: string, category?: number): void;
    close(): void;
}

/** The call that is being answered, through every await; undefined outside of handlers. */
export function current(): Call | undefined;

/** What this worker is; set before the app is loaded. */
export const worker: {
    /** The app's name. */
    readonly app: string;
    readonly uuid: string;
    /** The manifest's `version`. */
    readonly version: number;
};

/**
 * The caller gave up: nobody reads this answer any more. Its error says why: [1000, 400] that the client went away, [1000, 520] that the
 * deadline passed; any other one is the caller's own.
 */
export class Cancelled extends Error {
    constructor(category?: number, code?: number, reason?: string);
    readonly category: number;
    readonly code: number;
    readonly reason: string;
}

/** A chunk of an answer is longer than a message may be, 64 MiB: written in pieces it may be as long as it likes. */
export class ChunkTooLong extends RangeError {
    constructor(size: number);
}

/** A MessagePack extension value. */
export class Extension {
    constructor(code: number, data: Uint8Array);
    readonly code: number;
    readonly data: Uint8Array;
}

/** MessagePack, in the shortest form. */
export function encode(value: unknown): Buffer;

/** The one value that the data holds; with raw, text is bytes too. */
export function decode(data: Uint8Array, raw?: boolean): any;

declare global {
    /** The SDK, in a worker. */
    var cocaine: {
        current: typeof current;
        worker: typeof worker;
        Cancelled: typeof Cancelled;
        ChunkTooLong: typeof ChunkTooLong;
        Extension: typeof Extension;
        encode: typeof encode;
        decode: typeof decode;
    };
}
