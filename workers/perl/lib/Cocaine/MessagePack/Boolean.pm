package Cocaine::MessagePack::Boolean;

# True and false when Data::MessagePack is not there.

use 5.030;
use strict;
use warnings;

use overload
    'bool' => sub { ${ $_[0] } },
    '0+'   => sub { ${ $_[0] } },
    '""'   => sub { ${ $_[0] } ? 'true' : 'false' },
    fallback => 1;

sub of {
    my ($class, $value) = @_;
    return bless \$value, $class;
}

1;
