use 5.030;
use strict;
use warnings;
use File::Temp   qw(tempdir);
use FindBin;
use JSON::PP     ();
use MIME::Base64 qw(decode_base64url encode_base64url);
use Test::More;
use lib "$FindBin::Bin/../lib";

# Sealed calls, against records and keys that other libraries have made (tests/Core.Tests/Vectors).

my $file = "$FindBin::Bin/../../../tests/Core.Tests/Vectors/seal.json";
plan skip_all => 'the vectors are in the repository only' if !-r $file;
plan skip_all => 'Crypt::JWT is not here: apt-get install libcrypt-jwt-perl' if !eval { require Cocaine::Sealing };

my $vectors = do { local $/; open my $in, '<', $file or die "$file: $!"; JSON::PP::decode_json(<$in>) };
my $folder = tempdir(CLEANUP => 1);

sub written {
    my ($name, $text) = @_;
    open my $out, '>', "$folder/$name" or die "$folder/$name: $!";
    print $out $text;
    close $out;
    return "$folder/$name";
}

my $node = Crypt::PK::RSA->new(\$vectors->{node});
my ($own, $public) = (written('own.pem', $vectors->{sender}), written('node.pub', $node->export_key_pem('public_x509')));
my $event = $vectors->{event};
utf8::encode($event);

is Cocaine::Sealing::thumbprint($node), $vectors->{'node-thumbprint'}, 'thumbprints';

my $session = Cocaine::Sealing::Session->new($vectors->{openings}[0]{opening}, pack 'H*', $vectors->{key});
for my $one (@{ $vectors->{records} }) {
    my ($record, $text) = map { pack 'H*', $_ } $one->{record}, $one->{text};
    my $tied = "shop\0$event\0" . pack 'Q> Q> C q> q> l> C', @$one{qw(job chunk kind request_timeout silence_timeout retry_limit urgent)};
    if ($one->{direction} eq 'to-node') {
        is $session->seal(@$one{qw(kind counter)}, $tied, $text), $record, "record $one->{counter} to the node";
    } else {
        is $session->open($record, $tied), $text, "record $one->{counter} to the client";
    }
}

# The node's end of a session, from the opening: the number, the secret of answers, the heads and the claims.
sub node_end {
    my ($opening) = @_;
    my ($content, $outer) = (undef, undef);
    ($outer, $content) = Crypt::JWT::decode_jwt(
        token => $opening, key => Crypt::PK::RSA->new(\$vectors->{sender}), accepted_alg => 'PS256', decode_header => 1, decode_payload => 0);
    my ($inner, $claims) = Crypt::JWT::decode_jwt(
        token => $content, key => $node, accepted_alg => 'RSA-OAEP-256', accepted_enc => 'A256GCM', decode_header => 1,
        decode_payload => 1, verify_iat => undef, verify_exp => undef);
    my $digest = Digest::SHA::sha256($opening);
    my $secret = Crypt::KeyDerivation::hkdf(decode_base64url($claims->{key}), $digest, 'SHA256', 36, 'cocaine-fast seal 1 to-client');
    return { id => substr($digest, 0, 16), secret => $secret, heads => [$outer, $inner], claims => $claims, counter => 0 };
}

sub answer {
    my ($end, $of, $job, $chunk, $kind, $text) = @_;
    my $field = pack 'Q>', $kind << 56 | ++$end->{counter};
    my ($key, $prefix) = unpack 'a32 a4', $end->{secret};
    my ($hidden, $tag) = Crypt::AuthEnc::GCM::gcm_encrypt_authenticate('AES', $key, "$prefix$field",
        "\1\1shop\0$of\0" . pack('Q> Q> C q> q> l> C', $job, $chunk, $kind, -1, -1, -1, 0), $text);
    return "$end->{id}$field$hidden$tag";
}

my $sealer = Cocaine::Sealing->new('shop', $own, $public);
my ($opening) = $sealer->begin('invoice');
my $end = node_end($opening);
is_deeply $end->{heads}, [
    { alg => 'PS256', kid => $vectors->{'sender-thumbprint'}, cty => 'JWE' },
    { alg => 'RSA-OAEP-256', enc => 'A256GCM', kid => $vectors->{'node-thumbprint'} },
], 'the heads have these members';
is_deeply [sort keys %{ $end->{claims} }], [qw(aud exp iat iss jti key)], 'the claims too';
is $end->{claims}{exp} - $end->{claims}{iat}, 60;
is length decode_base64url($end->{claims}{jti}), 16;
my ($number, $again) = $sealer->begin('invoice');
is $number, $end->{id}, 'then the number of the session';
$sealer->forget($again);
isnt +($sealer->begin('invoice'))[0], $opening, 'a forgotten session is opened anew';

sub begun {
    my $fresh = Cocaine::Sealing->new('shop', $own, $public);
    my ($seal, $call) = $fresh->begin('echo');
    $call->seal('question', 1);
    return ($call, node_end($seal), $fresh);
}

sub broken {
    my ($name, $make) = @_;
    my ($call, $its, $fresh) = begun();
    ok !eval { $make->($call, $its, $fresh); 1 } && $@ =~ /does not open|no record/, $name;
    return;
}

my ($call, $its) = begun();
my $first = answer($its, 'echo', 1, 0, 0, 'first');
is $call->open($first), 'first';
ok !eval { $call->open($first); 1 }, 'repeated';
is $call->open(answer($its, 'echo', 1, 1, 1, '')), undef;
ok $call->{ended};
ok !eval { $call->open(answer($its, 'echo', 1, 2, 0, 'more')); 1 }, 'after the end';

broken('of another job', sub { $_[0]->open(answer($_[1], 'echo', 2, 0, 0, 'x')) });
broken('of another event', sub { $_[0]->open(answer($_[1], 'other', 1, 0, 0, 'x')) });
broken('at another place', sub { $_[0]->open(answer($_[1], 'echo', 1, 1, 0, 'x')) });
broken('of another session', sub { $_[0]->open(answer((begun())[1], 'echo', 1, 0, 0, 'x')) });
broken('swapped answers', sub {
    my (undef, $second) = $_[2]->begin('echo');
    $second->seal('question', 1);
    $second->open(answer($_[1], 'echo', 1, 0, 0, 'x'));
});
my @opened = grep {
    my ($one, $from) = begun();
    my $record = answer($from, 'echo', 1, 0, 0, 'first');
    substr($record, $_, 1) ^.= "\1";
    eval { $one->open($record); 1 };
} 0 .. length($first) - 1;
is_deeply \@opened, [], 'a flip at each byte';
broken("cut to $_", sub { $_[0]->open(substr answer($_[1], 'echo', 1, 0, 0, 'first'), 0, $_) }) for 0, 15, 39, 40;

($call, $its) = begun();
is $call->open(answer($its, 'echo', 1, 0, 2, pack 'l> l> a*', 1000, 502, 'broken')), undef;
is_deeply $call->{error}, [1000, 502, 'broken'], 'an error';
ok !eval { Cocaine::Sealing->new('shop', written('short.pem', do {
    my $short = Crypt::PK::RSA->new;
    $short->generate_key(128, 65537);
    $short->export_key_pem('private');
}), $public) } && $@ =~ /expected an RSA key/, 'a short key';

is Cocaine::Sealing::frame('n' x 16, 'rr'), "CFS1\2" . 'rr';
is Cocaine::Sealing::frame('o' x 300, 'rr'), "CFS1\1\x01\x2c" . 'o' x 300 . 'rr';

done_testing;
