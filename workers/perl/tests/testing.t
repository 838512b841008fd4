use 5.030;
use strict;
use warnings;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cocaine::Testing;

# The kit runs handlers as a worker does, without a node.

my $app = Cocaine::Testing->new("$FindBin::Bin/apps/testing.pl", 'kit');

is $app->call('hello', 'you')->body, 'hello, you';
is $app->call('hello', 'y', 'o', 'u')->body, 'hello, you', 'chunks of a whole request';
is_deeply [$app->call('count', 3)->chunks], [0 .. 2], 'an iterator';
is_deeply [$app->call('relay', 'one', 'two')->chunks], ['<one>', '<two>'], 'streams';
is $app->call('hello', 'again')->body, 'hello, again' for 1 .. 40;
is $app->call({ event => 'about', headers => [[trace_id => 258], [note => 'x']] })->body, 'about kit 258 0 0 x';
is $app->call('about')->body, 'about kit 0 0 0 none';
is_deeply $app->call('fails', 'no luck')->error, { category => 1000, code => 502, reason => 'no luck' };
is_deeply $app->call('refuses')->error, { category => 43, code => 77, reason => 'mine' };
is_deeply $app->call('nothing')->error, { category => 1000, code => 404, reason => "there is no event 'nothing' in app 'kit'" };
ok !eval { $app->call('fails', 'no luck')->body; 1 };
is $@, "error 1000.502: no luck\n";
my $given_up = $app->call({ event => 'relay', cancel => 1 }, 'one');
is_deeply [[$given_up->chunks], $given_up->error->{reason}], [['<one>'], 'cancelled'];
is $app->call('large', 5_000_000)->body, 'x' x 5_000_000;

done_testing;
