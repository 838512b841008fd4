# Run it with perl: it needs no node.
use strict;
use warnings;
use FindBin;
use Test::More;

sub MODIFY_CODE_ATTRIBUTES { return }    # takes :Streams, as the worker does

require "$FindBin::Bin/app.pl";

is hello('you'), 'hello, you';
is hello(''),    'hello, world';

done_testing;
