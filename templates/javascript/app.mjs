// Every export here is an event: a client calls it by its name.

/** What is returned or yielded is the answer. */
export function hello(request) {
    return `hello, ${request.length > 0 ? request : 'world'}`;
}

/** With two parameters both ways are streams: each chunk is answered as it comes. */
export async function* shout(request, response) {
    for await (const chunk of request) {
        yield chunk.toString().toUpperCase();
    }
}
