use 5.030;
use strict;
use warnings;
use utf8;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cocaine::Failures;
use Cocaine::Limits qw(FAILURE_TEXT_BYTES);

# A reason is bounded in bytes, and ends with a whole character.

for my $text ('x' x 5000, 'ü' x 5000, 'x' . 'ü' x 5000, '☺' x 5000, 'xx' . '☺' x 5000, "\x{1f600}" x 5000) {
    my $cut = Cocaine::Failures::text_of($text);
    cmp_ok length $cut, '<=', FAILURE_TEXT_BYTES;
    cmp_ok length $cut, '>', FAILURE_TEXT_BYTES - 4;
    ok utf8::decode($cut), 'no half character';
    is substr($text, 0, length $cut), $cut, 'the beginning of it';
}
is Cocaine::Failures::text_of("grün\n"), "gr\xc3\xbcn", 'short ones are whole';
is length Cocaine::Failures::cut("\x80" x 5000), FAILURE_TEXT_BYTES - 3, 'bytes that are no text are cut all the same';

done_testing;
