package Cocaine::Begin;

# What is begun: the node gives calls ahead of their turn, and may take back those that have not begun. The rules, and the page that both
# sides see, are in docs/worker-protocol.md, "What is begun".
#
# page        the page, or undef
# is_kept     the node has granted it: its words mean something
# most        calls that may have begun and not ended     under_way     how many have
# highest     `begun` as written                          read          the count of the last recall that was read
# is_recalling   the node takes calls back, and its message about it has not been read

use 5.030;
use strict;
use warnings;
use Config;
use Fcntl qw(F_GETFD F_SETFD FD_CLOEXEC);

use Cocaine::Frames qw(CONTROL);

use constant {
    PAGE_BYTES => 4096, MAGIC => 'CBEGIN01',
    MOST_AT => 60, BEGUN_AT => 3072, RECALL_AT => 3200,
    PREAD => 17, PWRITE => 18,    # system calls of x86-64: Perl's own reads and writes have no place in the file
    NO_BOUND => 9**9**9,
};

sub new {
    my ($class, $page) = @_;
    return bless {
        page => $page, is_kept => 0, most => NO_BOUND, under_way => 0, highest => 0, read => 0, is_recalling => 0,
    }, $class;
}

# The page that the node gave this process, or undef. What the app starts does not see it.
sub open_page {
    my $name = delete $ENV{COCAINE_BEGIN_PAGE};

    # The order of a write before a read, see begin, is that of this architecture.
    return if $Config{archname} !~ /^x86_64/ || ($name // '') !~ /^[0-9]{1,9}\z/a;
    open my $page, '+<&=', $name or return;
    fcntl $page, F_SETFD, fcntl($page, F_GETFD, 0) | FD_CLOEXEC;
    return if (-s $page // 0) != PAGE_BYTES || _read($page, 0, length MAGIC) ne MAGIC;
    return $page;
}

# The node's answer to the handshake; comes before our next message.
sub open {
    my ($self, $is_granted) = @_;
    return if !$self->{page} || !$is_granted;
    $self->{is_kept} = 1;
    $self->{most} = unpack('V', _read($self->{page}, MOST_AT, 4)) || NO_BOUND;
    $self->_write(CONTROL);
    return;
}

# How many calls more may begin, as it seems.
sub room {
    my ($self) = @_;
    return $self->{is_recalling} ? 0 : $self->{most} - $self->{under_way};
}

# Calls up to this channel are about to begin. False when the node takes calls back, maybe these: then its recall is read first.
sub begin {
    my ($self, $number) = @_;
    return 1 if !$self->{is_kept};
    $self->_write($number) if $number > $self->{highest};

    # Our write of `begun`, then our read of `recall`. Other half: the node stores `recall`, fences, and loads `begun`. The write ends with
    # the file's lock given back, on x86-64 a locked instruction, which no later load passes: so either the node sees that these calls have
    # begun, or we see its recall here.
    $self->{is_recalling} = unpack('V', _read($self->{page}, RECALL_AT, 4)) != $self->{read};
    return !$self->{is_recalling};
}

# The message of the recall with that count has been read. A later one is found with the next begin.
sub recalled {
    my ($self, $count) = @_;
    @$self{qw(read is_recalling)} = ($count, 0);
    return;
}

# Twice, because the kernel may copy byte by byte: the node takes it for a number when both are the same.
sub _write {
    my ($self, $number) = @_;
    $self->{highest} = $number;
    my $words = pack 'Q<2', $number, $number;
    syscall PWRITE, fileno $self->{page}, $words, length $words, BEGUN_AT;
    return;
}

sub _read {
    my ($page, $at, $size) = @_;
    my $bytes = "\0" x $size;
    syscall PREAD, fileno $page, $bytes, $size, $at;
    return $bytes;
}

1;
