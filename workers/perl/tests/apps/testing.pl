package Kit::App;
use strict;
use warnings;
use Cocaine;

sub hello   { return "hello, $_[0]" }
sub fails   { die "$_[0]\n" }
sub large   { return 'x' x $_[0] }
sub refuses :Streams { $_[1]->error(77, 'mine', 43); return }

sub count {
    my ($count) = @_;
    my $next = 0;
    return sub { return $next < $count ? $next++ : undef };
}

sub relay :Streams {
    my ($request, $response) = @_;
    while (defined(my $chunk = $request->read)) {
        $response->write("<$chunk>");
    }
}

sub about {
    my $call = Cocaine::current();
    return join ' ', $call->event, $call->app, $call->trace_id, $call->span_id, $call->parent_id, $call->header('note') // 'none';
}

1;
