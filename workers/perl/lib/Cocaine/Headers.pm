package Cocaine::Headers;

# A message's headers: items are an index into the static table, or [flag, name or index, value]. The node writes literals and static
# indexes only, so there is no dynamic table here. Loaded when an app asks for headers.

use 5.030;
use strict;
use warnings;

my @names = qw(
    :authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset
    accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control
    content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag
    expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location
    max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security
    transfer-encoding user-agent vary via www-authenticate
);
my %values = (
    2 => 'GET', 3 => 'POST', 4 => '/', 5 => '/index.html', 6 => 'http', 7 => 'https', 8 => '200', 9 => '204', 10 => '206',
    11 => '304', 12 => '400', 13 => '404', 14 => '500', 16 => 'gzip, deflate',
);
my %trace = (80 => 'trace_id', 81 => 'span_id', 82 => 'parent_id');    # 62 to 79 are reserved

sub _entry {
    my ($index) = @_;
    return [$trace{$index}, "\0" x 8] if $trace{$index};
    return [$names[$index - 1], $values{$index} // ''] if $index >= 1 && $index <= @names;
    return;
}

sub _is_index { return defined $_[0] && !ref $_[0] && $_[0] =~ /^[0-9]{1,9}\z/ }

# The [name, value] pairs of the items that can be understood, in order.
sub pairs {
    my ($items) = @_;
    my @pairs;
    for my $item (@{ $items // [] }) {
        if (_is_index($item)) {
            push @pairs, _entry($item);
        }
        elsif (ref $item eq 'ARRAY' && @$item >= 3 && defined $item->[2] && !ref $item->[2]) {
            my $name = _is_index($item->[1]) ? (_entry($item->[1]) // [])->[0] : $item->[1];
            push @pairs, [$name, $item->[2]] if defined $name && !ref $name;
        }
    }
    return @pairs;
}

# A header's number: 8 bytes little-endian, or decimal text. 0 when there is none.
sub number {
    my ($value) = @_;
    return 0 if !defined $value;
    return length $value == 8 ? unpack('Q<', $value) : $value =~ /^[0-9]+\z/ ? $value : 0;
}

1;
