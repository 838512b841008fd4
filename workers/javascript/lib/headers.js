'use strict';

// A message's headers: items are an index into the static table, or [flag, name or index, value]. The node writes literals and static
// indexes only, so there is no dynamic table here.

const NAMES = (
    ':authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset '
    + 'accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control '
    + 'content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag '
    + 'expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location '
    + 'max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security '
    + 'transfer-encoding user-agent vary via www-authenticate').split(' ');
const VALUES = {
    2: 'GET', 3: 'POST', 4: '/', 5: '/index.html', 6: 'http', 7: 'https', 8: '200', 9: '204', 10: '206', 11: '304', 12: '400', 13: '404',
    14: '500', 16: 'gzip, deflate',
};
const TRACE = { 80: 'trace_id', 81: 'span_id', 82: 'parent_id' }; // 62 to 79 are reserved

/** What most calls have: no trace. */
const BARE = [80, 81, 82];

function entry(index) {
    if (TRACE[index]) {
        return [TRACE[index], Buffer.alloc(8)];
    }
    return NAMES[index - 1] === undefined ? undefined : [NAMES[index - 1], Buffer.from(VALUES[index] ?? '')];
}

/** The [name, value] pairs of the items that can be understood, in order. Names are text, values bytes. */
function readItems(items) {
    const pairs = [];
    for (const item of items ?? []) {
        if (typeof item === 'number') {
            const pair = entry(item);
            if (pair) {
                pairs.push(pair);
            }
        } else if (Array.isArray(item) && item.length >= 3 && Buffer.isBuffer(item[2])) {
            const name = typeof item[1] === 'number' ? entry(item[1])?.[0] : Buffer.isBuffer(item[1]) ? item[1].toString() : undefined;
            if (name !== undefined) {
                pairs.push([name, Buffer.from(item[2])]);
            }
        }
    }
    return pairs;
}

/** A header's number: 8 bytes little-endian, or decimal text. 0n when there is none. */
function numberOf(value) {
    if (value === undefined) {
        return 0n;
    }
    return value.length === 8 ? value.readBigUInt64LE(0) : /^[0-9]+$/.test(value.toString()) ? BigInt(value.toString()) : 0n;
}

module.exports = { BARE, readItems, numberOf };
