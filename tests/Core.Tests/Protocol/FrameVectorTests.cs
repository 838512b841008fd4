using System.Text.Json;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Tests.Vectors;

namespace Cocaine.Fast.Core.Tests.Protocol;

public class FrameVectorTests
{
    [Fact]
    public void Every_recorded_frame_of_the_public_frameworks_decodes_to_what_it_is()
    {
        foreach (JsonElement frame in VectorFile.Read("frames.json").EnumerateArray())
        {
            byte[] bytes = VectorFile.Hex(frame.GetProperty("hex").GetString()!);
            string what = frame.GetProperty("what").GetString()!;
            Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout));
            Assert.Equal(bytes.Length, layout.TotalBytes);
            ArgumentShape expected = frame.GetProperty("from").GetString() == "node" ? layout.Shape : what.Split(' ', ',', '(')[0] switch
            {
                "chunk" or "handshake" or "invoke" or "enqueue" => ArgumentShape.Data,
                "heartbeat" or "close" or "info" => ArgumentShape.Empty,
                "error" => ArgumentShape.Error,
                "terminate" => ArgumentShape.CodeText,
                _ => layout.Shape,
            };
            Assert.True(expected == layout.Shape, $"{frame.GetProperty("from")} {what}: {layout.Shape}");
        }
    }

    [Fact]
    public void Headers_of_a_whole_connection_pass_through_the_table()
    {
        HeaderTable table = new();
        int index = 0;
        foreach (JsonElement message in VectorFile.Read("hpack_sequence.json").EnumerateArray())
        {
            byte[] bytes = VectorFile.Hex(message.GetProperty("hex").GetString()!);
            Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout));
            List<(string Name, string Value)> seen = [];
            HeaderSet set = new()
            {
                Seen = (name, value) => seen.Add((System.Text.Encoding.UTF8.GetString(name), Convert.ToHexStringLower(value))),
            };
            if (layout.HeadersLength > 0)
            {
                Assert.Equal(HeaderStatus.Ok,
                    HeaderReader.Decode(bytes.AsSpan(layout.HeadersOffset, layout.HeadersLength), table, set, ProtocolLimits.Default));
            }

            (string, string)[] expected = [.. message.GetProperty("headers").EnumerateArray().Select(pair =>
                (pair[0].GetString()!, pair[1].GetString()!))];
            Assert.Equal(expected, seen);
            Assert.Equal(message.GetProperty("table_entries").GetInt32(), table.Count);
            Assert.Equal(message.GetProperty("table_size").GetInt32(), table.SizeBytes);
            index++;
        }

        Assert.Equal(129, index);
    }

    [Fact]
    public void An_index_past_the_table_cannot_be_trusted()
    {
        HeaderTable table = new();
        foreach (byte[] headers in (byte[][])[[0x91, 0x00], [0x91, 83], [0x91, 0x93, 0xc2, 83, 0xa1, 0x78], [0x91, 0xcd, 0xff, 0xff]])
        {
            Assert.Equal(HeaderStatus.Untrusted, HeaderReader.Decode(headers, table, new HeaderSet(), ProtocolLimits.Default));
        }
    }

    [Fact]
    public void An_entry_larger_than_the_table_empties_it()
    {
        HeaderTable table = new();
        table.Add("a"u8, "b"u8);
        Assert.Equal((1, 34), (table.Count, table.SizeBytes));
        table.Add("large"u8, new byte[4096]);
        Assert.Equal((0, 0), (table.Count, table.SizeBytes));
        table.Add("x"u8, new byte[4063]);
        Assert.Equal((1, 4096), (table.Count, table.SizeBytes));
    }

    [Fact]
    public void Known_headers_become_values_and_others_go_on_to_the_worker()
    {
        byte[] to = new byte[512];
        int at = 1;
        at += HeaderSet.WriteNumber(to.AsSpan(at), "request_timeout"u8, 1500);
        at += HeaderSet.WriteNumber(to.AsSpan(at), "urgent"u8, 1);
        at += HeaderSet.WriteNumber(to.AsSpan(at), "trace_id"u8, 0x0102030405060708);
        ReadOnlySpan<byte> raw = [0x93, 0xc2, 23, 0xa3, (byte)'k', (byte)'e', (byte)'y'];
        raw.CopyTo(to.AsSpan(at));
        at += raw.Length;
        to[0] = 0x94;
        HeaderSet set = new();
        Assert.Equal(HeaderStatus.Ok, HeaderReader.Decode(to.AsSpan(0, at), new HeaderTable(), set, ProtocolLimits.Default));
        Assert.Equal((1500L, true, 0x0102030405060708UL), (set.RequestTimeoutMs!.Value, set.Urgent, set.TraceId));

        List<string> forWorker = [];
        HeaderSet worker = new() { Seen = (name, _) => forWorker.Add(System.Text.Encoding.UTF8.GetString(name)) };
        Assert.Equal(HeaderStatus.Ok, HeaderReader.Decode(set.ForWorker(withSecrets: true), new HeaderTable(), worker, ProtocolLimits.Default));
        Assert.Equal(["trace_id", "span_id", "parent_id", "authorization"], forWorker);
    }

    [Fact]
    public void A_known_header_with_another_value_is_bad_and_leaves_the_table_right()
    {
        HeaderTable table = new();
        byte[] headers = [0x92, 0x93, 0xc2, 0xa6, .. "urgent"u8, 0x90, 0x93, 0xc3, 0xa1, (byte)'n', 0xa1, (byte)'v'];
        Assert.Equal(HeaderStatus.BadValue, HeaderReader.Decode(headers, table, new HeaderSet(), ProtocolLimits.Default));
        Assert.Equal(1, table.Count);
    }
}
