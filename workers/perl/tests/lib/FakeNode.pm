package FakeNode;

# A node for tests: starts a worker and speaks the protocol with it.

use 5.030;
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp     ();
use IO::Handle;
use Cwd            qw(abs_path);
use Socket         qw(AF_UNIX MSG_NOSIGNAL SOCK_STREAM SOMAXCONN pack_sockaddr_un);
use Cocaine::MessagePack;

use constant PATIENCE => 30;    # seconds; only a failing test waits that long

my $here = dirname(dirname(abs_path(__FILE__)));

sub start {
    my ($class, $app, %env) = @_;
    my %abilities = (delete $env{has_flow} // 1 ? (flow => 1) : (), delete $env{has_begin} ? (begin => 1) : ());
    my $folder = File::Temp->newdir;
    my $path = "$folder/s";
    socket my $listener, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
    bind $listener, pack_sockaddr_un($path) or die "bind: $!";
    listen $listener, SOMAXCONN;
    my $errors = File::Temp->new;
    my $output = File::Temp->new;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        local @ENV{keys %env} = values %env;
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', $output->filename;
        open STDERR, '>', $errors->filename;
        exec $^X, "$here/../cocaine-worker.pl", '--app', 'test', '--uuid', 'u-1', '--endpoint', $path, '--locator', '-', '--protocol', 1,
            "$here/apps/$app" or die "exec: $!";
    }
    my $self = bless {
        pid => $pid, folder => $folder, errors => $errors, output => $output, in => '', inbox => {}, heartbeats => 0, next => 2,
    }, $class;
    while (!$self->{socket}) {
        vec(my $readable = '', fileno $listener, 1) = 1;
        if (select $readable, undef, undef, 0.02) {
            accept $self->{socket}, $listener;
        }
        elsif (waitpid $pid, 1) {
            $self->{code} = $? >> 8;
            last;
        }
    }
    if ($self->{socket}) {
        $self->until(sub { $self->{inbox}{1} || $self->exit_code_now });
        $self->send_all([1, 0, [\%abilities]]);
    }
    return $self;
}

sub send_raw {
    my ($self, $data) = @_;
    local $self->{is_mid_message} = 1;
    while (length $data) {
        vec(my $writable = '', fileno $self->{socket}, 1) = 1;
        my $readable = $writable;
        select $readable, $writable, undef, PATIENCE or die 'the worker does not read';
        $self->take if vec $readable, fileno $self->{socket}, 1;
        if (vec $writable, fileno $self->{socket}, 1) {
            my $sent = send $self->{socket}, substr($data, 0, 1 << 16), MSG_NOSIGNAL | 0x40;    # MSG_DONTWAIT
            substr $data, 0, $sent, '' if defined $sent;
            return if !defined $sent && !$!{EAGAIN};
        }
    }
    return;
}

# As much as the worker takes while it takes something each so many seconds; true when that was all. The rest is in {left}.
sub try_send {
    my ($self, $data, $seconds) = @_;
    $self->{left} = $data;
    my $since = time;
    while (length $self->{left}) {
        vec(my $writable = '', fileno $self->{socket}, 1) = 1;
        my $readable = $writable;
        select $readable, $writable, undef, 0.05;
        $self->take if vec $readable, fileno $self->{socket}, 1;
        my $sent = send $self->{socket}, substr($self->{left}, 0, 1 << 16), MSG_NOSIGNAL | 0x40;    # MSG_DONTWAIT
        if ($sent) {
            substr $self->{left}, 0, $sent, '';
            $since = time;
        }
        return 0 if time > $since + $seconds;
    }
    return 1;
}

sub send_all {
    my ($self, @messages) = @_;
    return $self->send_raw(join '', map { Cocaine::MessagePack::encode($_) } @messages);
}

sub open_channel {
    my ($self, $event, $headers) = @_;
    my $number = $self->{next}++;
    $self->send_all([$number, 0, [$event], $headers // [80, 81, 82]]);
    return $number;
}

# As a node writes it: payloads as bin.
sub invoke {
    my ($self, $event, @chunks) = @_;
    my $number = $self->{next}++;
    my $n = Cocaine::MessagePack::integer($number);
    $self->send_raw(Cocaine::MessagePack::encode([$number, 0, [$event], [80, 81, 82]])
        . join('', map { "\x93$n\x00\x91" . Cocaine::MessagePack::binary_head(length) . $_ } @chunks) . "\x93$n\x02\x90");
    return $number;
}

# False when the worker has closed its socket.
sub take {
    my ($self) = @_;
    my $count = sysread $self->{socket}, $self->{in}, 1 << 18, length $self->{in};
    return 0 if !$count;
    my $at = 0;
    while ($at < length $self->{in}) {
        my ($message, $end) = Cocaine::MessagePack::decode(\$self->{in}, $at) or last;
        $at = $end;
        my ($number, $type, $args) = @$message;
        if ($number == 1 && $type == 0 && !@$args) {
            $self->{heartbeats}++;
            send $self->{socket}, "\x93\x01\x00\x90", MSG_NOSIGNAL if !$self->{is_mid_message};
        }
        else {
            push @{ $self->{inbox}{$number} }, [$type, $args];
        }
    }
    substr $self->{in}, 0, $at, '';
    return 1;
}

sub is_readable {
    my ($self, $seconds) = @_;
    vec(my $readable = '', fileno $self->{socket}, 1) = 1;
    return select($readable, undef, undef, $seconds) > 0;
}

sub until {
    my ($self, $condition) = @_;
    my $late = time + PATIENCE;
    while (1) {
        my $value = $condition->();
        return $value if $value;
        die 'the worker was silent: ', $self->stderr if time > $late;
        vec(my $readable = '', fileno $self->{socket}, 1) = 1;
        select $readable, undef, undef, 0.05 or next;
        $self->take or die 'the worker has ended: ', $self->stderr;
    }
}

sub chunk {
    my ($self, $number) = @_;
    my ($type, $args) = @{ $self->until(sub { shift @{ $self->{inbox}{$number} // [] } }) };
    die "a message of type $type" if $type != 0;
    return $args->[0];
}

# (chunks, error): the error as "category code reason", or undef.
sub answer {
    my ($self, $number) = @_;
    $self->until(sub { my $messages = $self->{inbox}{$number}; $messages && @$messages && $messages->[-1][0] > 0 });
    my @messages = @{ delete $self->{inbox}{$number} };
    my ($type, $args) = @{ pop @messages };
    return ([map { $_->[1][0] } @messages], $type == 1 ? "@{ $args->[0] } $args->[1]" : undef);
}

sub call {
    my ($self, @words) = @_;
    return $self->answer($self->invoke(@words));
}

sub exit_code {
    my ($self) = @_;
    return $self->{code} if defined $self->{code};
    my $late = time + PATIENCE;
    while (!waitpid $self->{pid}, 1) {
        die 'the worker does not end' if time > $late;
        select undef, undef, undef, 0.01;
        next if !$self->{socket};
        vec(my $readable = '', fileno $self->{socket}, 1) = 1;
        $self->take if select $readable, undef, undef, 0;
    }
    return $self->{code} = $? & 127 ? "signal $?" : $? >> 8;
}

sub exit_code_now { my ($self) = @_; return waitpid($self->{pid}, 1) && ($self->{code} = $? >> 8) + 1 }

sub hold  { my ($self, $number) = @_; return $self->send_all([1, 2, [$number, 1]]) }
sub go_on { my ($self, $number) = @_; return $self->send_all([1, 2, [$number, 0]]) }

# What the worker has asked of the channel so far: 1 to hold, 0 to go on.
sub asked_flow {
    my ($self, $number) = @_;
    return [map { $_->[1][1] } grep { $_->[0] == 2 && $_->[1][0] == $number } @{ $self->{inbox}{1} // [] }];
}

sub _content {
    my ($file) = @_;
    open my $handle, '<', $file->filename or die;
    local $/;
    return <$handle> // '';
}

sub stderr { return _content($_[0]{errors}) }
sub stdout { return _content($_[0]{output}) }

sub DESTROY {
    my ($self) = @_;
    local $?;
    return if defined $self->{code};
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
