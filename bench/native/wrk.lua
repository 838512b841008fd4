-- One line with what is parsed: requests, microseconds, and latencies in microseconds.
done = function(summary, latency, requests)
  io.write(string.format("figures %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), summary.errors.status + summary.errors.read))
end
