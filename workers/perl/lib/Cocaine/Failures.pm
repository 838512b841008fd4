package Cocaine::Failures;

# What a handler died with, for the log and for the caller. Nothing here dies: an object may be unable to show itself.

use 5.030;
use strict;
use warnings;
use Scalar::Util ();

use Cocaine::Limits qw(FAILURE_TEXT_BYTES LOG_TEXT_BYTES);

# To the log as Perl would print it.
sub show {
    my ($failure) = @_;
    local ($@, $SIG{__DIE__}, $SIG{__WARN__}) = ('', 'DEFAULT', sub { });
    my $text = _string($failure);
    my $shown = $text;
    $shown = substr($text, 0, LOG_TEXT_BYTES) . ' ... (' . length($text) . " characters in all)\n" if length $text > LOG_TEXT_BYTES;
    utf8::encode($shown) if utf8::is_utf8($shown);
    eval { print STDERR $shown =~ /\n\z/ ? $shown : "$shown\n" };    # STDERR may be tied to something that dies
    return;
}

# For callers: the text without the folders of the files it names, and without the calls that led there.
sub text_of {
    my ($failure) = @_;
    local ($@, $SIG{__DIE__}, $SIG{__WARN__}) = ('', 'DEFAULT', sub { });
    my $text = substr _string($failure), 0, 2 * FAILURE_TEXT_BYTES;
    $text =~ s/\n\t[^\n]* called at .*//s;
    $text =~ s/ \(\@INC [a-z ]+: [^)]*\)//;
    $text =~ s{ at /(?:(?:(?! at )[^\n/])*/)*([^\n/]+ line \d+)}{ at $1}g;
    $text =~ s/\s+\z//;
    return cut($text);
}

# As bytes, at most FAILURE_TEXT_BYTES, and no half character at the end.
sub cut {
    my ($text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    return $text if length $text <= FAILURE_TEXT_BYTES;
    my $end = FAILURE_TEXT_BYTES;
    for (1 .. 3) {    # a character has three bytes after its first at most
        last if (ord(substr $text, $end, 1) & 0xc0) != 0x80;
        $end--;
    }
    return substr $text, 0, $end;
}

sub _string {
    my ($failure) = @_;
    my $text = eval { my $string = "$failure"; $string };
    return $text if defined $text && !ref $text && $text ne '';
    my $class = Scalar::Util::blessed($failure);
    return defined $class ? "a $class, whose text cannot be shown" : ref $failure ? ref $failure : 'died';
}

1;
