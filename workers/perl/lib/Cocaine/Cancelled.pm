package Cocaine::Cancelled;

# What reading and writing die with when the caller has given up: nobody reads this answer any more. The caller's error says why:
# [1000, 400] that the client went away, [1000, 520] that the deadline passed; any other one is the caller's own.

use 5.030;
use strict;
use warnings;

use Cocaine::Frames qw(CLIENT_GONE NODE_CATEGORY);

use overload '""' => sub { "the caller gave up\n" }, 'bool' => sub { 1 }, fallback => 1;

sub new {
    my ($class, $category, $code, $reason) = @_;
    return bless { category => $category // NODE_CATEGORY, code => $code // CLIENT_GONE, reason => $reason // '' }, $class;
}

sub category { return $_[0]{category} }
sub code     { return $_[0]{code} }
sub reason   { return $_[0]{reason} }

1;
