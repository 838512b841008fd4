package Cocaine::Testing::Link;

# A link that has no node: what comes are the messages that it was made with, what is sent is kept.

use 5.030;
use strict;
use warnings;
use parent 'Cocaine::Link';

sub new {
    my ($class, @messages) = @_;
    my $self = Cocaine::Link::new($class, undef);
    @$self{qw(messages sent)} = (\@messages, '');
    return $self;
}

# One message at a time, as from a slow caller.
sub fetch {
    my ($self) = @_;
    my $message = shift @{ $self->{messages} } // return 0;
    $self->{in} .= $message;
    return $self->{heard} = 1;
}

sub send_all {
    my ($self, $bytes) = @_;
    $self->{sent} .= $$bytes;
    $$bytes = '';
    return;
}

sub await          { return }
sub is_node_behind { return 0 }

1;
