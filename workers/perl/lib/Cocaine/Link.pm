package Cocaine::Link;

# The way to the node: its socket, and the bytes that have come and were not taken yet.
#
# in       those bytes
# heard    something has come since it was last set to 0
# unread   bytes of chunks that no handler has read, counted by the channels
# most     past so many of them nothing more is taken, but by a must

use 5.030;
use strict;
use warnings;
use Errno  qw(EAGAIN EINTR);
use Fcntl  qw(F_GETFD F_SETFD F_GETFL F_SETFL FD_CLOEXEC O_NONBLOCK);
use POSIX  ();
use Socket qw(AF_UNIX MSG_NOSIGNAL SOCK_STREAM pack_sockaddr_un);

use Cocaine::Forks;
use Cocaine::Limits qw(HEARTBEAT_SECONDS READ_BYTES UNREAD_BYTES);

use constant SIOCOUTQ => 0x5411;    # bytes sent and not read yet; see unix(7)

sub new {
    my ($class, $socket) = @_;
    return bless { socket => $socket, in => '', heard => 0, unread => 0, most => UNREAD_BYTES }, $class;
}

# Dies when the node is not there.
sub open_path {
    my ($class, $path) = @_;
    my $socket;
    if (!socket($socket, AF_UNIX, SOCK_STREAM, 0) || !connect($socket, pack_sockaddr_un($path))) {
        die "cannot reach the node at $path: $!\n";
    }
    fcntl $socket, F_SETFD, fcntl($socket, F_GETFD, 0) | FD_CLOEXEC;
    fcntl $socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK;
    return $class->new($socket);
}

sub is_full { return $_[0]{unread} > $_[0]{most} }

# True when something has come. A must is for one who can do nothing else than wait for it.
sub fetch {
    my ($self, $must) = @_;
    Cocaine::Forks::end_child() if Cocaine::Forks::is_child();
    return 0 if !$must && $self->{unread} > $self->{most};
    my $count = sysread $self->{socket}, $self->{in}, READ_BYTES, length $self->{in};
    return $self->{heard} = 1 if $count;
    node_gone() if defined $count || !($!{EAGAIN} || $!{EINTR});
    return 0;
}

# Sends the bytes, which are taken away. Reads on while there is no room: were both sides to write only, neither would get on.
sub send_all {
    my ($self, $bytes) = @_;
    while (length $$bytes) {
        my $sent = send $self->{socket}, $$bytes, MSG_NOSIGNAL;
        if (defined $sent) {
            substr $$bytes, 0, $sent, '';
        }
        elsif ($!{EAGAIN}) {
            $self->_await_room;
        }
        elsif (!$!{EINTR}) {
            node_gone();
        }
    }
    return;
}

sub _await_room {
    my ($self) = @_;
    vec(my $writable = '', fileno $self->{socket}, 1) = 1;
    my $readable = is_full($self) ? undef : $writable;
    select $readable, $writable, undef, HEARTBEAT_SECONDS;
    $self->fetch if defined $readable && vec $readable, fileno $self->{socket}, 1;
    return;
}

# Until something comes, or the time is over.
sub await {
    my ($self, $seconds) = @_;
    vec(my $readable = '', fileno $self->{socket}, 1) = 1;
    select $readable, undef, undef, $seconds > 0 ? $seconds : 0;
    return;
}

# What we have sent lies in the socket: the node does not read now.
sub is_node_behind {
    my ($self) = @_;
    my $bytes = pack 'i', 0;
    ioctl $self->{socket}, SIOCOUTQ, $bytes;
    return unpack('i', $bytes) > 0;
}

# Not by an exception: that would pass through a handler that reads its request, and the app could swallow it. Nobody is left to tell;
# finishing what runs would be work for nobody.
sub node_gone { return POSIX::_exit(0) }

1;
