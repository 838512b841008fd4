package Cocaine::Sealing::Session;

# The keys of both directions of a sealed session.

use 5.030;
use strict;
use warnings;
use Crypt::AuthEnc::GCM  qw(gcm_encrypt_authenticate gcm_decrypt_verify);
use Crypt::KeyDerivation qw(hkdf);
use Digest::SHA          qw(sha256);
use Time::HiRes          qw(clock_gettime CLOCK_MONOTONIC);

use constant {
    ID_BYTES => 16, HEAD_BYTES => 24, TAG_BYTES => 16, KEY_BYTES => 32, SECRET_BYTES => 36,
    WAIT_SECONDS => 30, SESSION_SECONDS => 3540, IDLE_SECONDS => 540,    # half an opening's time; a minute less than the node's bounds
    MOST_RECORDS => 2**31,                                               # half of the node's bound
};

sub new {
    my ($class, $opening, $secret) = @_;
    my $digest = sha256($opening);
    my ($to_node, $to_client) = map { hkdf($secret, $digest, 'SHA256', SECRET_BYTES, "cocaine-fast seal 1 $_") } 'to-node', 'to-client';
    my $now = _now();
    return bless {
        id => substr($digest, 0, ID_BYTES), opening => $opening, made => $now, used => $now, counter => 0,
        to_node => $to_node, to_client => $to_client,
    }, $class;
}

sub is_old {
    my ($self) = @_;
    my $now = _now();
    return defined $self->{opening} && $now - $self->{made} > WAIT_SECONDS || $now - $self->{made} > SESSION_SECONDS
        || $now - $self->{used} > IDLE_SECONDS || $self->{counter} > MOST_RECORDS;
}

# The opening, once, and true; then the number of the session.
sub header {
    my ($self) = @_;
    $self->{used} = _now();
    my $opening = $self->{opening};
    undef $self->{opening};
    return defined $opening ? ($opening, 1) : ($self->{id}, 0);
}

sub next_counter { return ++$_[0]->{counter} }

sub seal {
    my ($self, $kind, $counter, $tied, $text) = @_;
    my $field = pack 'Q>', $kind << 56 | $counter;
    my ($key, $prefix) = unpack 'a32 a4', $self->{to_node};
    my ($hidden, $tag) = gcm_encrypt_authenticate('AES', $key, $prefix . $field, "\1\0$tied", $text);
    return $self->{id} . $field . $hidden . $tag;
}

# The text of a record of the node; undef when it does not open.
sub open {
    my ($self, $record, $tied) = @_;
    my ($key, $prefix) = unpack 'a32 a4', $self->{to_client};
    my $field = substr $record, ID_BYTES, HEAD_BYTES - ID_BYTES;
    my ($hidden, $tag) = (substr($record, HEAD_BYTES, -TAG_BYTES), substr $record, -TAG_BYTES);    # CryptX reads no part of a text
    return gcm_decrypt_verify('AES', $key, $prefix . $field, "\1\1$tied", $hidden, $tag);
}

sub _now { return clock_gettime(CLOCK_MONOTONIC) }

1;
