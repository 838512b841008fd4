package Cocaine::Call;

# What a handler can ask about the call that it answers. Headers are decoded only when it asks.

use 5.030;
use strict;
use warnings;

use Cocaine::Frames qw(BARE);

sub new {
    my ($class, $handler) = @_;
    return bless { handler => $handler, items => BARE }, $class;
}

sub event { return $_[0]{handler}{event} }
sub app   { return $_[0]{handler}{app} }

# [name, value] pairs, in the order in which they came.
sub headers {
    my ($self) = @_;
    require Cocaine::Headers;
    return Cocaine::Headers::pairs($self->{items});
}

# The value of the first header of that name, or undef.
sub header {
    my ($self, $name) = @_;
    for my $pair ($self->headers) {
        return $pair->[1] if $pair->[0] eq $name;
    }
    return;
}

sub trace_id  { return _number($_[0], 'trace_id') }     # 0 when the caller has not sent it
sub span_id   { return _number($_[0], 'span_id') }
sub parent_id { return _number($_[0], 'parent_id') }

sub _number {
    my ($self, $name) = @_;
    my $value = $self->header($name);
    return Cocaine::Headers::number($value);
}

sub cancelled    { return 0 }        # a request that came whole and is answered at once
sub cancellation { return undef }

1;
