package Cocaine::Testing::Answer;

# What a caller would have got.

use 5.030;
use strict;
use warnings;

sub new {
    my ($class, $chunks, $error) = @_;
    my ($about, $reason) = @{ $error // [] };
    return bless { chunks => $chunks, error => $error && { category => $about->[0], code => $about->[1], reason => $reason } }, $class;
}

sub chunks { return @{ $_[0]{chunks} } }
sub error  { return $_[0]{error} }          # { category, code, reason }, or undef

# All chunks; dies with the error when there is one.
sub body {
    my ($self) = @_;
    my $error = $self->{error};
    die "error $error->{category}.$error->{code}: $error->{reason}\n" if $error;
    return join '', @{ $self->{chunks} };
}

1;
