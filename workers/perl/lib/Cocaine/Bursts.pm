package Cocaine::Bursts;

# Whole requests recognised in one step. A usual request comes as three messages in a row,
#
#     [n, 0, [event], [80, 81, 82]]   [n, 0, [bin8]]   [n, 2, []]
#
# and for an event and a width of n every byte but n and the data is known. So each such shape has a template that takes all three apart in
# one unpack; what must be fixed is compared. All else goes the general way.
#
# known    shapes by the bytes that tell them
# shape    the last one seen: the next request is probably alike
# together calls that begin at once
# iterate  called with (number, head, handler, iterator) for an answer that goes on

use 5.030;
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Cocaine;
use Cocaine::Call;
use Cocaine::Exits;
use Cocaine::Forks;
use Cocaine::Frames qw(CLOSE_TAIL);
use Cocaine::Limits qw(BURST_CALLS BURST_SECONDS PROVEN_RUNS QUICK_SECONDS);
use Cocaine::Output;

use constant SHORT_HEAD => "\x00\x91\xc4";    # of a write: its data's length in one byte follows

my %width = (0xcc => [1, 'C'], 0xcd => [2, 'n'], 0xce => [4, 'N'], 0xcf => [8, 'Q>']);
my @small = map { SHORT_HEAD . chr } 0 .. 255;

sub new {
    my ($class, $channels, $iterate) = @_;
    return bless { channels => $channels, known => {}, shape => undef, together => 1, iterate => $iterate }, $class;
}

# Answers requests of one shape, one after another. False when what has come begins with no such request. A handler that turns out to be
# slow, or that gives an iterator, ends the burst: the session takes it from there.
sub burst {
    my ($self) = @_;
    my $guess = $self->_guess or return 0;
    return 1 if $self->_burst($guess);
    undef $self->{shape};
    my $other = $self->_guess;
    return $other && $other != $guess ? $self->_burst($other) : 0;
}

sub _burst {
    my ($self, $guess) = @_;
    my ($first, $number_form, $handler, $call) = @$guess[2, 5, 6, 7];
    my $channels = $self->{channels};
    my $output = $channels->{output};
    my $out = \$output->{bytes};
    my ($code, $raw, $is_over) = ($handler->{code});
    my $then = clock_gettime(CLOCK_MONOTONIC);
    $Cocaine::call = $call;
    while (!$is_over) {
        my ($batch, $taken) = $self->_take($guess);
        last if !@$batch;
        my $since = $then;
        my $done = 0;
        for my $request (@$batch) {
            ($raw, my $head, my $body) = @$request;
            $done++;
            # As Cocaine::Exits::contained does it, by hand: a call of that for each request would cost much.
            my ($entered, $fine, @answer) = (0);
            {
                last if $entered++;
                $fine = eval { @answer = $code->($body); 1 } // 0;
            }
            if (!$fine || $Cocaine::Forks::forked) {
                my $failure = defined $fine ? $@ : Cocaine::Exits::LEFT;
                Cocaine::Forks::end_child(!$fine, $failure) if Cocaine::Forks::is_child();
                $$out .= $head . Cocaine::Frames::failure_tail($failure);
            }
            elsif (@answer == 1 && defined $answer[0] && !ref $answer[0] && length $answer[0] < 256 && !utf8::is_utf8($answer[0])) {
                $$out .= $head . $small[length $answer[0]] . $answer[0] . $head . CLOSE_TAIL;
            }
            elsif (my $next = @answer == 1 && ref $answer[0] eq 'CODE' ? $answer[0] : Cocaine::Output::parted(\@answer)) {
                $channels->{last} = unpack $number_form, $raw;
                $self->{iterate}->($channels->{last}, $head, $handler, $next);
                $is_over = 1;
                last;
            }
            elsif (eval { $output->chunks($head, \@answer); 1 }) {
                $$out .= $head . CLOSE_TAIL;
            }
            else {
                my $failure = $@;
                Cocaine::Forks::end_child(1, $failure) if Cocaine::Forks::is_child();
                $$out .= $head . Cocaine::Frames::failure_tail($failure);
            }
            my $now = clock_gettime(CLOCK_MONOTONIC);
            if ($now > $output->{due}) {
                $channels->{last} = unpack $number_form, $raw;
                $output->flush;
                $channels->{heartbeat}->beat($now);
            }
            if ($now - $then > QUICK_SECONDS) {
                $handler->{streak} = 0;
                $is_over = 1;
                last;
            }
            $then = $now;
        }

        # Those that are left have begun, as the node sees it; they run when what is written has been shown.
        substr $channels->{link}{in}, 0, 0, substr $taken, $batch->[$done][3] if $done < @$batch;
        $self->{together} = !$is_over && $then - $since < BURST_SECONDS * @$batch ? BURST_CALLS : 1;
    }
    undef $self->{shape} if $is_over;
    undef $Cocaine::call;
    return 0 if !defined $raw;
    $channels->{last} = unpack $number_form, $raw;
    return 1;
}

# The requests of a shape that the data begins with, as many as may begin together: [the number's bytes, the answer's head, the body, where
# it began]; and the bytes that they took. Nothing when none may begin.
sub _take {
    my ($self, $guess) = @_;
    my ($template, $fixed, $first, $middle, $third, $number_form) = @$guess;
    my $channels = $self->{channels};
    my $gate = $channels->{gate};
    my ($in, $at, @batch) = (\$channels->{link}{in}, 0);
    my $most = $gate->room > 0 ? $self->{together} : 0;    # they run one after another
    while (@batch < $most && length($$in) - $at >= $fixed) {
        my ($a, $n, $b, $n2, $c, $body, $d, $n3, $tail) = unpack $at ? "x$at $template" : $template, $$in;
        last if $tail ne CLOSE_TAIL || $d ne $third || $c ne SHORT_HEAD || $b ne $middle || $a ne $first || $n ne $n2 || $n ne $n3;
        push @batch, [$n, $third . $n, $body, $at];
        $at += $fixed + length $body;
    }
    return [] if !@batch || !$gate->begin(unpack $number_form, $batch[-1][0]);
    return (\@batch, substr $$in, 0, $at, '');
}

# The shape of the request that the data begins with, or undef.
sub _guess {
    my ($self) = @_;
    return $self->{shape} if $self->{shape};
    my $in = \$self->{channels}{link}{in};
    return if $$in !~ /^\x94(?:[\x00-\x7f]|([\xcc-\xcf]))/s;
    my $code = defined $1 ? ord $1 : 0;
    my ($width, $number_form) = @{ $width{$code} // [1, 'C'] };
    my $at = ($code ? 2 : 1) + $width;
    return if length $$in <= $at || substr($$in, $at, 4) !~ /^\x00\x91(?:([\xa0-\xbf])|[\xc4\xd9](.))/s;
    my ($begin, $size) = defined $1 ? ($at + 3, ord($1) & 31) : ($at + 4, ord $2);
    my $event = substr $$in, $begin, $size;
    return if substr($$in, $begin + $size, 4) ne "\x93\x50\x51\x52";
    my $prefix = $code ? chr $code : '';
    my $middle = substr($$in, $at, $begin + $size + 4 - $at) . "\x93$prefix";
    my $handler = $self->_proven($event) or return;
    return $self->{shape} = $self->{known}{ $code . $middle } //= do {
        my ($one, $many) = (1 + length $prefix, length $middle);
        my $template = "a$one a$width a$many a$width a3 C/a a$one a$width a2";
        [
            $template, 2 * $one + 3 * $width + $many + 3 + 1 + 2, "\x94$prefix", $middle, "\x93$prefix", $number_form, $handler,
            Cocaine::Call->new($handler),
        ];
    };
}

# The handler of an event, when its answers may be collected.
sub _proven {
    my ($self, $event) = @_;
    my $handler = $self->{channels}{app}->find($event);
    return $handler && $handler->{streak} >= PROVEN_RUNS && !$handler->{streams} ? $handler : undef;
}

1;
