package Cocaine::Shapes;

# Whole requests recognised in one step. A usual request comes as three messages in a row,
#
#     [n, 0, [event], [80, 81, 82]]   [n, 0, [bin8]]   [n, 2, []]
#
# and for an event and a width of n every byte but n and the data is known. So each such shape has a template that takes all three apart in
# one unpack; what must be fixed is compared. All else goes the general way.

use 5.030;
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Cocaine::Guard;

my %width = (0xcc => [1, 'C'], 0xcd => [2, 'n'], 0xce => [4, 'N'], 0xcf => [8, 'Q>']);
my %known;      # shapes by the bytes that tell them
my $shape;      # the last one seen: the next request is probably alike
my @small = map { "\x00\x91\xc4" . chr } 0 .. 255;

# Answers requests of one shape, one after another. False when the data begins with no such request. A handler that turns out to be slow, or
# that gives an iterator, ends the burst: the session takes it from there.
sub burst {
    my ($in, $out, $last, $due) = @_;
    my $guess = guess($in) or return 0;
    return 1 if _burst($in, $out, $last, $due, $guess);
    undef $shape;
    my $other = guess($in);
    return $other && $other != $guess ? _burst($in, $out, $last, $due, $other) : 0;
}

sub _burst {
    my ($in, $out, $last, $due, $guess) = @_;
    my ($template, $fixed, $first, $middle, $third, $number_form, $handler, $call) = @$guess;
    my ($code, $raw) = ($handler->{code});
    my $then = clock_gettime(CLOCK_MONOTONIC);
    $Cocaine::call = $call;
    while (length $$in >= $fixed) {
        my ($a, $n, $b, $n2, $c, $body, $d, $n3, $tail) = unpack $template, $$in;
        last if $tail ne "\x02\x90" || $d ne $third || $c ne "\x00\x91\xc4" || $b ne $middle || $a ne $first || $n ne $n2 || $n ne $n3;
        $raw = $n;
        substr $$in, 0, $fixed + length $body, '';
        my $head = $third . $n;
        # As Cocaine::Guard::contained does it, by hand: a call of that for each request would cost much.
        my ($entered, $fine, @answer) = (0);
        {
            last if $entered++;
            $fine = eval { @answer = $code->($body); 1 } // 0;
        }
        if (!$fine || $Cocaine::Guard::forked) {
            my $failure = defined $fine ? $@ : Cocaine::Guard::LEFT;
            Cocaine::Guard::end_child(!$fine, $failure) if Cocaine::Guard::is_child();
            $$out .= $head . Cocaine::Protocol::failure_tail($failure);
        }
        elsif (@answer == 1 && defined $answer[0] && !ref $answer[0] && length $answer[0] < 256 && !utf8::is_utf8($answer[0])) {
            $$out .= $head . $small[length $answer[0]] . $answer[0] . $head . "\x02\x90";
        }
        else {
            $$last = unpack $number_form, $n;
            Cocaine::Session::answer_whole($$last, $head, $handler, @answer);
            if (ref $answer[0] eq 'CODE') {
                undef $shape;
                last;
            }
        }
        my $now = clock_gettime(CLOCK_MONOTONIC);
        if ($now > $$due) {
            $$last = unpack $number_form, $n;
            Cocaine::Session::flush();
            Cocaine::Session::beat($now);
        }
        if ($now - $then > 0.001) {
            $handler->{streak} = 0;
            undef $shape;
            last;
        }
        $then = $now;
    }
    undef $Cocaine::call;
    return 0 if !defined $raw;
    $$last = unpack $number_form, $raw;
    return 1;
}

# The shape of the request that the data begins with, or undef.
sub guess {
    my ($in) = @_;
    return $shape if $shape;
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
    my $handler = Cocaine::Session::proven($event) or return;
    return $shape = $known{ $code . $middle } //= do {
        my ($one, $many) = (1 + length $prefix, length $middle);
        my $template = "a$one a$width a$many a$width a3 C/a a$one a$width a2";
        [
            $template, 2 * $one + 3 * $width + $many + 3 + 1 + 2, "\x94$prefix", $middle, "\x93$prefix", $number_form, $handler,
            Cocaine::Call->new($handler),
        ];
    };
}

1;
