package Cocaine::Failure;

# What a handler died with, for the log and for the caller. Nothing here dies: an object may be unable to show itself.

use 5.030;
use strict;
use warnings;
use Scalar::Util ();

use constant {
    MOST_CHARACTERS => 4096,      # of an error's text to the caller: a reason, not a document
    MOST_SHOWN      => 1 << 16,   # of it in the log
};

# As Perl would print it.
sub show {
    my ($failure) = @_;
    local ($@, $SIG{__DIE__}, $SIG{__WARN__}) = ('', 'DEFAULT', sub { });
    my $text = _string($failure);
    my $shown = length $text > MOST_SHOWN ? substr($text, 0, MOST_SHOWN) . ' ... (' . length($text) . " characters in all)\n" : $text;
    utf8::encode($shown) if utf8::is_utf8($shown);
    eval { print STDERR $shown =~ /\n\z/ ? $shown : "$shown\n" };    # STDERR may be tied to something that dies
    return;
}

# For callers: the text without the folders of the files it names, and without the calls that led there.
sub text_of {
    my ($failure) = @_;
    local ($@, $SIG{__DIE__}, $SIG{__WARN__}) = ('', 'DEFAULT', sub { });
    my $text = substr _string($failure), 0, 2 * MOST_CHARACTERS;
    $text =~ s/\n\t[^\n]* called at .*//s;
    $text =~ s/ \(\@INC [a-z ]+: [^)]*\)//;
    $text =~ s{ at /(?:(?:(?! at )[^\n/])*/)*([^\n/]+ line \d+)}{ at $1}g;
    $text =~ s/\s+\z//;
    return substr $text, 0, MOST_CHARACTERS;
}

sub _string {
    my ($failure) = @_;
    my $text = eval { my $string = "$failure"; $string };
    return $text if defined $text && !ref $text && $text ne '';
    my $class = Scalar::Util::blessed($failure);
    return defined $class ? "a $class, whose text cannot be shown" : ref $failure ? ref $failure : 'died';
}

1;
