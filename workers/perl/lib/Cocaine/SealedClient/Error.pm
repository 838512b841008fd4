package Cocaine::SealedClient::Error;

# An error with which the node or the app has answered a sealed call.

use 5.030;
use strict;
use warnings;
use overload '""' => sub { $_[0]->{is_sealed} ? $_[0]->{text} : "$_[0]->{text} (this error is not sealed)" }, fallback => 1;

sub new {
    my ($class, $category, $code, $text, $is_sealed) = @_;
    return bless { category => $category, code => $code, text => $text, is_sealed => $is_sealed }, $class;
}

sub category  { return $_[0]->{category} }
sub code      { return $_[0]->{code} }
sub text      { return $_[0]->{text} }
sub is_sealed { return $_[0]->{is_sealed} }

1;
