// Types of the test kit: runs an app's handlers without a node.

/// <reference types="node" />

import type { Chunk } from './index';

/** The answer ended with an error. */
export class AppError extends Error {
    constructor(category: number, code: number, reason: string);
    readonly category: number;
    readonly code: number;
    readonly reason: string;
}

/** What a caller would have got. */
export class Answer {
    readonly chunks: Buffer[];
    readonly error: AppError | undefined;
    /** All chunks; throws the error when there is one. */
    readonly body: Buffer;
}

export interface StreamOptions {
    headers?: [name: string, value: Chunk][];
    /** Gets each chunk of the answer as it comes. */
    onChunk?: (chunk: Buffer) => void;
    /** An abort is the caller's giving up. */
    signal?: AbortSignal;
}

/** An app, loaded once. */
export class Runner {
    /** `source` is what the manifest names: a file, or a folder that is a package. */
    static load(source: string, options?: { name?: string }): Promise<Runner>;
    /** Runs the event's handler; the request is the chunks. */
    call(event: string, ...chunks: Chunk[]): Promise<Answer>;
    /** The same; the chunks may come from anything that gives them. */
    stream(event: string, chunks: Iterable<Chunk> | AsyncIterable<Chunk>, options?: StreamOptions): Promise<Answer>;
}
