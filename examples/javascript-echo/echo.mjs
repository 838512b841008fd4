// Every export here is an event: a client calls it by its name.

export function echo(request) {
    return request;
}

/** count of "3" answers with the chunks 1, 2 and 3. */
export function* count(request) {
    for (let number = 1; number <= Number(request); number++) {
        yield String(number);
    }
}

/** Gives every chunk back in capitals as it comes. */
export async function* shout(request, response) {
    for await (const chunk of request) {
        yield chunk.toString().toUpperCase();
    }
}
