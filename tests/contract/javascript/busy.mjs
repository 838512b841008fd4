// A handler that keeps the loop busy for ever: nothing else of its worker runs, heartbeats and signal handlers neither.

export function spin() {
    goesRoundForEver();
}

function goesRoundForEver() {
    for (;;);
}
