package Cocaine::Sealing;

# Sealed calls, for clients: openings of sessions and their records, as docs/protocol.md has them. No sockets.
#
#     my $sealer = Cocaine::Sealing->new('shop', 'billing.pem', 'node.pub');
#     my ($seal, $call) = $sealer->begin('invoice');       # $seal is the value of the call's header
#     $call->seal($chunk, 1)                               # a record of the request, and the last one
#     $call->open($record)                                 # a chunk of the answer; undef at its end
#
# The only module of the SDK, with Cocaine::SealedClient, that needs others: Crypt::JWT and CryptX.

use 5.030;
use strict;
use warnings;
use JSON::PP     ();
use List::Util   qw(min);
use MIME::Base64 qw(encode_base64url);

BEGIN {
    eval { require Crypt::JWT; require Crypt::PK::RSA; require Crypt::KeyDerivation; require Crypt::PRNG; 1 }
        or die "Cocaine::Sealing needs Crypt::JWT and CryptX: apt-get install libcrypt-jwt-perl, or cpan Crypt::JWT\n";
}

use Cocaine::Sealing::Call;
use Cocaine::Sealing::Session;

use constant {
    OPENING_SECONDS => 60,                           # an opening is good for so long
    KEY_BYTES => 32, NUMBER_BYTES => 16,
    LEAST_BITS => 2048, MOST_BITS => 4096, EXPONENT => '10001',
    MOST_MS => 366 * 24 * 3600 * 10**3, MOST_RETRIES => 10**3,    # larger values count as these
};

# key_file: the caller's private key, PKCS#8 PEM; node_key_file: the node's public key, PEM.
sub new {
    my ($class, $app, $key_file, $node_key_file) = @_;
    my ($key, $node) = (_key($key_file), _key($node_key_file));
    die "$key_file: expected a private key\n" if !$key->is_private;
    return bless {
        app => $app, key => $key, node => $node, session => undef,
        own_name => thumbprint($key), node_name => thumbprint($node),
    }, $class;
}

# RFC 7638, SHA-256.
sub thumbprint { return $_[0]->export_key_jwk_thumbprint('SHA256') }

sub _key {
    my ($file) = @_;
    die "$file: $!\n" if !-r $file;
    my $key = eval { Crypt::PK::RSA->new($file) };
    my $bits = $key ? $key->size * 8 : 0;
    die "$file: expected an RSA key of 2048 to 4096 bits\n" if $bits < LEAST_BITS || $bits > MOST_BITS;
    die "$file: the key's public exponent is not 65537\n" if $key->key2hash->{e} !~ /^0*${\EXPONENT}\z/;
    return $key;
}

# Begins a call: the value of its header `seal`, and the call. The wishes, request_timeout and silence_timeout in ms, retry_limit and urgent,
# must be those of the call's headers.
sub begin {
    my ($self, $event, %wishes) = @_;
    my $session = $self->{session};
    if (!$session || $session->is_old) {
        $session = $self->{session} = Cocaine::Sealing::Session->new($self->_open);
    }
    my $wishes = pack 'q> q> l> C', _bounded($wishes{request_timeout}, MOST_MS), _bounded($wishes{silence_timeout}, MOST_MS),
        _bounded($wishes{retry_limit}, MOST_RETRIES), $wishes{urgent} ? 1 : 0;
    my $place = join '', map { _octets($_) . "\0" } $self->{app}, $event;
    my ($seal, $opens) = $session->header;
    return ($seal, Cocaine::Sealing::Call->new($session, $place, $wishes, $opens));
}

# The node does not know the session of a call: the next call opens another one.
sub forget {
    my ($self, $call) = @_;
    undef $self->{session} if $self->{session} && $self->{session} == $call->{session};
    return;
}

# The body frame of a ZeroMQ message to a zeromq-server or zeromq-sink. A frame is a whole request: its record is the last one.
sub frame {
    my ($seal, $record) = @_;
    return length $seal == NUMBER_BYTES ? "CFS1\2$record" : pack 'a4 C n/a* a*', 'CFS1', 1, $seal, $record;
}

sub _open {
    my ($self) = @_;
    my ($secret, $now) = (Crypt::PRNG::random_bytes(KEY_BYTES), time);
    my $claims = JSON::PP::encode_json({
        iss => $self->{own_name}, aud => $self->{node_name}, iat => $now, exp => $now + OPENING_SECONDS,
        jti => encode_base64url(Crypt::PRNG::random_bytes(NUMBER_BYTES)), key => encode_base64url($secret),
    });
    my $inner = Crypt::JWT::encode_jwt(
        payload => $claims, alg => 'RSA-OAEP-256', enc => 'A256GCM', key => $self->{node},
        extra_headers => { kid => $self->{node_name} });
    my $opening = Crypt::JWT::encode_jwt(
        payload => $inner, alg => 'PS256', key => $self->{key}, extra_headers => { kid => $self->{own_name}, cty => 'JWE' });
    return ($opening, $secret);
}

sub _octets {
    my ($text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    return $text;
}

sub _bounded { return defined $_[0] ? min(@_) : -1 }

1;
