// The contract's events in JavaScript: what a binding must do, see the page on the worker protocol.

const { current, worker } = globalThis.cocaine;

export function echo(request) {
    return request;
}

export async function relay(request, response) {
    for await (const chunk of request) {
        await response.write(chunk);
    }
}

export function* count(request) {
    for (let number = 0; number < Number(request); number++) {
        yield String(number);
    }
}

export function raises(request) {
    throw new Error(String(request));
}

export function* raises_late(request) {
    yield 'first';
    throw new Error(String(request));
}

export async function refuses(request, response) {
    response.error(77, 'mine');
}

export async function waits(request, response) {
    request.signal.addEventListener('abort', () => {
        const { category, code, reason } = request.signal.reason;
        console.error(`waits was cancelled by [${category}, ${code}]: ${reason}`);
    });
    response.write('waiting');
    await request.body();
    response.write('done');
}

export async function sleeps(request) {
    await new Promise((resolve) => setTimeout(resolve, Number(request)));
    return 'slept';
}

export function prints(request) {
    console.log(String(request));
    console.error(String(request));
    return 'printed';
}

export function headers() {
    return current().headers.map(([name, value]) => `${name}=${value.toString('hex')}\n`).join('');
}

export async function whoami() {
    await null;
    const call = current();
    return `${call.app} ${worker.uuid} ${call.event} ${worker.version}`;
}

// What every SDK can: the table of docs/languages.md.

export async function body(request, response) {
    response.write(await request.body());
}

export function header(request) {
    return current().header(String(request)) ?? 'none';
}

export function ids() {
    const call = current();
    return `${call.traceId} ${call.spanId} ${call.parentId}`;
}

export function category(request, response) {
    response.error(78, 'own category', 43);
}

export async function cancelled(request, response) {
    response.write('waiting');
    const call = current();
    while (!call.cancelled) {
        await new Promise((resolve) => setTimeout(resolve, 1));
    }
    console.error('cancelled was seen');
}
