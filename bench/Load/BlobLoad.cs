using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Load;

/// <summary>Calls whose answers are streamed: as many bytes as the request says.</summary>
internal sealed class BlobLoad : Load
{
    private readonly CancellationTokenSource _over = new();
    private readonly List<CocaineClient> _clients = [];
    private readonly List<Task> _loops = [];

    public override async Task StartAsync(LoadSpec spec)
    {
        byte[] request = Encoding.UTF8.GetBytes(spec.SizeBytes.ToString(CultureInfo.InvariantCulture));
        for (int i = 0; i < spec.Connections; i++)
        {
            CocaineClient client = await CocaineClient.ConnectAsync(spec.Endpoint, new ClientOptions { UnsafeInlineContinuations = true });
            _clients.Add(client);
            Tally tally = new();
            Tallies.Add(tally);
            _loops.Add(Task.Run(() => RunAsync(client, request, spec.SizeBytes, tally)));
        }
    }

    public override async Task StopAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_loops);
        foreach (CocaineClient client in _clients)
        {
            await client.DisposeAsync();
        }

        _over.Dispose();
    }

    private async Task RunAsync(CocaineClient client, byte[] request, int sizeBytes, Tally tally)
    {
        Discard discard = new();
        while (!_over.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            int bytes = await client.CallAsync("blob", request, discard).ConfigureAwait(false);
            tally.Wrong += bytes == sizeBytes ? 0 : 1;
            tally.Record(Stopwatch.GetTimestamp() - start);
        }
    }

    /// <summary>Takes bytes and keeps none.</summary>
    private sealed class Discard : IBufferWriter<byte>
    {
        private byte[] _buffer = new byte[64 << 10];

        public void Advance(int count)
        {
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => Grown(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0) => Grown(sizeHint);

        private byte[] Grown(int size) => _buffer.Length >= size ? _buffer : _buffer = new byte[size];
    }
}
