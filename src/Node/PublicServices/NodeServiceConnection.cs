using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Doors;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Node.PublicServices;

/// <summary>A client of the service <c>node</c>. Each question has one answer, and each answer is terminal.</summary>
internal sealed class NodeServiceConnection : DoorConnection
{
    private const int StartApp = 0, PauseApp = 1, List = 2, Info = 3;

    /// <summary>The silence after which a connection is closed, ms: a tool asks and goes.</summary>
    private const int IdleMs = 60_000;

    /// <summary>The most questions that wait for their answers: a tool asks one after the other.</summary>
    private const int MaxQuestions = 16;

    private readonly NodeService _service;
    private ulong _highestChannel;
    private int _asked; // questions under way

    public NodeServiceConnection(NodeService service, EventLoop loop, Doorkeeper keeper, int descriptor)
        : base(loop, descriptor, ProtocolLimits.Default)
    {
        _service = service;
        Gate = new ActionGate(keeper, this, "node-service");
    }

    /// <summary>Decides about the client's questions.</summary>
    public ActionGate Gate { get; }

    internal override bool IsBusy => _asked > 0;

    /// <summary>The longest message: a question has a name and a word.</summary>
    protected override int MaxShortBytes => 4 << 10;

    /// <summary>Starts to answer.</summary>
    public void Begin()
    {
        Open();
        CloseWhenIdle(IdleMs);
    }

    protected override MessageRoom RoomOf(ulong channel) => channel > _highestChannel ? MessageRoom.Opening : MessageRoom.Short;

    protected override void OnOpeningRefused(ulong channel, string problem)
    {
        _highestChannel = channel;
        Refuse(channel, ErrorCodes.TooLarge, problem);
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Channel == 0 && !IsRefusedAsOld(in layout))
        {
            Refuse(0, ErrorCodes.BadRequest, OldDialect.NoChannel);
        }

        if (layout.Channel <= _highestChannel)
        {
            return; // late
        }

        _highestChannel = layout.Channel;
        if (IsRefused(in layout) || IsTurnedAway(layout.Channel))
        {
            return;
        }

        string name = layout.Shape == ArgumentShape.Data ? Encoding.UTF8.GetString(message.ShortData) : "";
        DoorRefusal denied = default;
        switch (layout.Type)
        {
            case List or StartApp or PauseApp or Info when !IsAllowed(layout.Type, name, out denied):
                Refuse(layout.Channel, denied.Code, denied.Text);
                break;
            case List:
                string[] shown = Array.FindAll(_service.List(), app => Gate.Rights.MayList("list", app));
                Answer(layout.Channel, NodeServiceAnswer.Value(JsonSerializer.Serialize(shown)));
                break;
            case StartApp or PauseApp or Info when layout.Shape != ArgumentShape.Data:
                Refuse(layout.Channel, ErrorCodes.BadRequest, "the first argument is the name of an app");
                break;
            case StartApp or PauseApp or Info when _asked == MaxQuestions:
                Refuse(layout.Channel, ErrorCodes.ResourceError, $"{MaxQuestions} questions are under way on this connection");
                break;
            case StartApp:
                Ask(layout.Channel, () => DoneAsync(_service.StartAsync(name)));
                break;
            case PauseApp:
                Ask(layout.Channel, () => DoneAsync(_service.PauseAsync(name)));
                break;
            case Info:
                Ask(layout.Channel, async () => NodeServiceAnswer.Value(await _service.InfoAsync(name)));
                break;
            default:
                Refuse(
                    layout.Channel, ErrorCodes.BadRequest,
                    "the service node has the methods 0 (start_app), 1 (pause_app), 2 (list) and 3 (info)");
                break;
        }
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        if (channel is { } known)
        {
            Refuse(known, code, problem);
        }
    }

    protected override void OnClosed(string reason)
    {
        base.OnClosed(reason);
        Gate.End();
        _service.Remove(this);
    }

    private bool IsAllowed(ulong type, string name, out DoorRefusal refusal) => type switch
    {
        List => Gate.Rights.MayControl("list", null, out refusal),
        StartApp => Gate.Rights.MayControl("resume", name, out refusal),
        PauseApp => Gate.Rights.MayControl("pause", name, out refusal),
        _ => Gate.Rights.MayControl("info", name, out refusal),
    };

    /// <summary>The answer of a command: nothing.</summary>
    private static async Task<byte[]> DoneAsync(Task command)
    {
        await command;
        return NodeServiceAnswer.Nothing;
    }

    /// <summary>Lets the question run elsewhere; the answer comes back to the loop.</summary>
    private void Ask(ulong channel, Func<Task<byte[]>> question)
    {
        _asked++;
        NodeThreads.Run(async () =>
        {
            byte[]? answer = null;
            NodeException failure = new("the node has stopped") { Code = ErrorCodes.ResourceError };
            try
            {
                answer = await question();
            }
            catch (NodeException refusal)
            {
                failure = refusal;
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                failure = _service.OnFault(fault);
            }

            Loop.Post(() => OnAnswer(channel, answer, failure));
        });
    }

    private void OnAnswer(ulong channel, byte[]? answer, NodeException failure)
    {
        _asked--;
        if (!IsOpen)
        {
            return;
        }

        if (answer is null)
        {
            Refuse(channel, failure.Code, failure.Message);
        }
        else
        {
            Answer(channel, answer);
        }

        OnQuiet();
    }

    private void Answer(ulong channel, byte[] arguments)
    {
        MessageWriter.WriteArguments(Output, channel, arguments);
        ScheduleSend();
    }

    private void Refuse(ulong channel, int code, string problem)
    {
        MessageWriter.WriteError(Output, channel, ErrorCodes.Category, code, problem);
        ScheduleSend();
    }
}
