using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Client;

/// <summary>Finds apps by their names: asks the locator of a node.</summary>
public static class AppLocator
{
    /// <summary>The locator of this host's node, when its configuration names no other.</summary>
    public const string DefaultEndpoint = "tcp://127.0.0.1:10053";

    private const string Plain = "tcp://";

    /// <summary>The endpoints of an app, the best first.</summary>
    /// <param name="app">The app's name, or <c>app/task</c> for one of its native servers.</param>
    /// <param name="locator">The locator's endpoint; null = <c>COCAINE_LOCATOR</c> of the environment, or the default.</param>
    /// <param name="options">
    /// The settings. The app's endpoints have TLS when these options have <see cref="ClientOptions.Tls"/> or the locator's endpoint is
    /// <c>tls://HOST:PORT</c>. A token goes to the locator only over TLS or a Unix socket.
    /// </param>
    /// <param name="cancellation">Gives the look up.</param>
    /// <returns>One endpoint at least.</returns>
    /// <exception cref="CocaineException">The locator knows no app of this name, or this client may not call it.</exception>
    /// <exception cref="ConnectionLostException">The locator cannot be reached, gives no answer in time, or is no locator.</exception>
    /// <exception cref="FormatException">The locator's endpoint cannot be read, or the name is too long.</exception>
    public static async Task<IReadOnlyList<string>> FindAsync(string app, string? locator = null, ClientOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(app);
        options ??= new ClientOptions();
        string endpoint = locator ?? EnvironmentNames.Get(EnvironmentNames.Locator) ?? DefaultEndpoint;
        bool isTls = ServerConnector.IsTls(endpoint);
        bool isPrivate = isTls || endpoint.StartsWith("ipc:", StringComparison.Ordinal);
        ClientOptions asking = options with
        {
            Seal = null,
            Tls = isTls ? options.Tls : null,
            Token = isPrivate ? options.Token : null,
        };
        await using CocaineClient client = await ConnectAsync(app, endpoint, asking, cancellation).ConfigureAwait(false);
        byte[] answer;
        try
        {
            answer = await client.AskAsync(app, cancellation).WaitAsync(options.ConnectTimeout, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            throw new ConnectionLostException(
                $"the locator {endpoint} does not answer within {options.ConnectTimeout.TotalSeconds} s", late);
        }

        string scheme = isTls || options.Tls is not null ? ServerConnector.Scheme : Plain;
        return LocatorReply.TryRead(answer, scheme, out IReadOnlyList<string> found) ? found
            : throw new ConnectionLostException($"{endpoint} is no locator: its answer has no addresses");
    }

    private static async Task<CocaineClient> ConnectAsync(
        string app, string endpoint, ClientOptions options, CancellationToken cancellation)
    {
        try
        {
            return await CocaineClient.ConnectAsync(endpoint, options, cancellation).ConfigureAwait(false);
        }
        catch (ConnectionLostException failure)
        {
            throw new ConnectionLostException($"no locator can be asked where the app '{app}' is: {failure.Message}", failure);
        }
    }
}
