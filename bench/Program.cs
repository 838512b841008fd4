using Cocaine.Fast.Bench.Guard;
using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Micro;
using Cocaine.Fast.Bench.Scale;
using Cocaine.Fast.Bench.Systems;

// dotnet run -c Release --project bench [-- micro | scale | guard]; "agent" and "serve" are this program's own helpers.
switch (args)
{
    case []:
        return await HeadlineSuite.RunAsync();
    case ["scale", .. string[] axes]:
        return await ScaleSuite.RunAsync(axes);
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
        Console.Error.WriteLine("usage: bench [micro [--filter GLOB] | scale [AXIS...] | guard]");
        return 2;
}
