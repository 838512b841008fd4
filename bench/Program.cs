using Cocaine.Fast.Bench.ClusterSim;
using Cocaine.Fast.Bench.Defaults;
using Cocaine.Fast.Bench.Forward;
using Cocaine.Fast.Bench.Guard;
using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Languages;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Long;
using Cocaine.Fast.Bench.Metrics;
using Cocaine.Fast.Bench.Micro;
using Cocaine.Fast.Bench.Scale;
using Cocaine.Fast.Bench.Seal;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Bench.Timers;
using Cocaine.Fast.Bench.Tls;
using Cocaine.Fast.Bench.ZeroMq;

// dotnet run -c Release --project bench
//   [-- defaults | micro | scale | languages | long [KIB...] | guard | timers [--duration S] | zeromq | tls [handshakes] | seal | metrics];
// "agent", "serve", "zeromq-serve" and "forward-serve" are this program's own helpers.
switch (args)
{
    case []:
        return await HeadlineSuite.RunAsync();
    case ["timers", .. string[] rest]:
        return await TimerSuite.RunAsync(rest);
    case ["cluster-sim", .. string[] nodes]:
        return ClusterSimSuite.Run(nodes);
    case ["metrics"]:
        return await MetricsSuite.RunAsync();
    case ["forward"]:
        return await ForwardSuite.RunAsync();
    case ["forward-serve"]:
        await ForwardServer.RunnerAsync();
        return 0;
    case ["forward-serve", string peerPort]:
        await ForwardServer.GiverAsync(peerPort);
        return 0;
    case ["tls"]:
        return await TlsSuite.RunAsync(handshakesOnly: false);
    case ["tls", "handshakes"]:
        return await TlsSuite.RunAsync(handshakesOnly: true);
    case ["long", .. string[] sizesKiB]:
        return await LongSuite.RunAsync(sizesKiB);
    case ["seal"]:
        return SealSuite.Run();
    case ["zeromq"]:
        return await ZeroMqSuite.RunAsync();
    case ["zeromq-serve", "bare"]:
        await EnvelopeServers.BareAsync();
        return 0;
    case ["zeromq-serve", string role]:
        await EnvelopeServers.NodeAsync(role);
        return 0;
    case ["scale", .. string[] axes]:
        return await ScaleSuite.RunAsync(axes);
    case ["defaults"]:
        return await DefaultsSuite.RunAsync();
    case ["languages"]:
        return await LanguageSuite.RunAsync();
    case ["guard"]:
        return await GuardSuite.RunAsync();
    case ["micro", .. string[] options]:
        return MicroSuite.Run(options);
    case ["agent"]:
        await LoadAgent.RunAsync();
        return 0;
    case ["serve", "pipelines"]:
        await EchoServers.RunAsync(EchoServers.PipelinesAsync);
        return 0;
    case ["serve", "event-args"]:
        await EchoServers.RunAsync(EchoServers.EventArgsAsync);
        return 0;
    case ["serve", "kestrel-echo", string certificate, string key]:
        await KestrelEcho.RunAsync(certificate, key);
        return 0;
    case ["serve", "grpc"]:
        await RivalServers.GrpcAsync();
        return 0;
    case ["serve", "netmq"]:
        await RivalServers.NetMqAsync();
        return 0;
    case ["serve", "nats", string url]:
        await RivalServers.NatsAsync(url);
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: bench [defaults | micro [--filter GLOB] | scale [AXIS...] | languages | long [KIB...] | guard | timers [--duration S] "
            + "| zeromq | tls [handshakes] | seal | cluster-sim [NODES...] | forward]");
        return 2;
}
