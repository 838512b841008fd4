# The sealed calls that every language's client makes: perl client.pl SDK ENDPOINT APP KEY NODE-KEY
use 5.030;
use strict;
use warnings;

my ($sdk, $endpoint, $app, $key, $node_key);
BEGIN { ($sdk, $endpoint, $app, $key, $node_key) = @ARGV }
use lib "$sdk/lib";
use Cocaine::SealedClient;

sub check { my ($is_so, $text) = @_; die "not so: $text\n" if !$is_so; return }

my $client = Cocaine::SealedClient->new($endpoint, app => $app, key => $key, node_key => $node_key);
for my $i (0 .. 299) {
    my $answer = $client->call('echo', "hello $i", request_timeout => 20000, urgent => $i % 2, retry_limit => 1);
    check($answer eq "hello $i", "answer $i");
}
check($client->call('echo') eq '', 'an empty answer');
my $large = join('', map { chr } 0 .. 255) x 40000;
check($client->call('echo', $large) eq $large, 'a large answer');
my $answer = '';
$client->stream('echo', ['one;', 'two;', 'three'], sub { $answer .= $_[0] });
check($answer eq 'one;two;three', 'a request of chunks');
my @counted;
$client->stream('count', ['3'], sub { push @counted, $_[0] =~ s/\n//r });
say "@counted";
eval { $client->call('fail', 'the reason'); 1 } and die 'an error was expected';
say join ' ', $@->category, $@->code, $@;
$client->close;

my $stranger = Cocaine::SealedClient->new($endpoint, app => 'another', key => $key, node_key => $node_key);
eval { $stranger->call('echo', 'x'); 1 } and die 'an error was expected';
say join ' ', $@->code, $@;
