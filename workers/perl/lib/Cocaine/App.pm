package Cocaine::App;

# The app: its file, and the handlers in it.

use 5.030;
use strict;
use warnings;
use Cwd            ();
use File::Basename ();
use Sub::Util      ();

use Cocaine::Frames qw(NODE_CATEGORY NOT_FOUND);

my %streams;    # subs with the attribute, by address; they are never freed
my %special = map { $_ => 1 } qw(AUTOLOAD BEGIN CHECK CLONE CLONE_SKIP DESTROY END INIT MODIFY_CODE_ATTRIBUTES UNITCHECK import unimport);

sub load {
    my ($class, $name, $source) = @_;
    my $path = Cwd::abs_path($source) // $source;
    die "$source is not a file\n" if !-f $path;
    my $package = _first_package($path);
    {
        no strict 'refs';
        *{"${package}::MODIFY_CODE_ATTRIBUTES"} = \&_attributes;
    }
    unshift @INC, File::Basename::dirname($path);
    _run($path);
    die $@ if $@;
    return bless { name => $name, package => $package, handlers => {} }, $class;
}

sub _run { package main; return do $_[0] }

# Where the app's subs go: a package statement before the first of them says, if there is one.
sub _first_package {
    my ($path) = @_;
    open my $file, '<', $path or die "cannot read $path: $!\n";
    while (my $line = <$file>) {
        last if $line =~ /^__(?:END|DATA)__|^\s*sub\s/;
        return $1 if $line =~ /^\s*package\s+([A-Za-z_]\w*(?:::\w+)*)/;
    }
    return 'main';
}

sub _attributes {
    my ($package, $code, @attributes) = @_;
    $streams{ 0 + $code } = 1 if grep { $_ eq 'Streams' } @attributes;
    return grep { $_ ne 'Streams' } @attributes;
}

# The handler of an event, or undef.
sub find {
    my ($self, $event) = @_;
    return $self->{handlers}{$event} //= $self->_make($event);
}

# In the place of a handler that the app does not have: a call to it begins like any other.
sub missing {
    my ($self, $event) = @_;
    my $text = "there is no event '$event' in app '$self->{name}'";
    my $refuse = sub { $_[1]->error(NOT_FOUND, $text, NODE_CATEGORY) };
    return { event => $event, app => $self->{name}, code => $refuse, streams => 1, streak => 0 };
}

# Callers choose names, so not all that the package can see is served: neither what it imports, nor constants, nor names with an underscore
# in front, nor the subs that Perl itself calls.
sub _make {
    my ($self, $event) = @_;
    return if $event !~ /^[A-Za-z]\w*\z/a || $special{$event};
    my $name = "$self->{package}::$event";
    return if !defined &$name;
    my $code = \&$name;
    return if (prototype($code) // '-') eq '' || Sub::Util::subname($code) !~ /^\Q$self->{package}\E::/;
    return { event => $event, app => $self->{name}, code => $code, streams => $streams{ 0 + $code }, streak => 0 };
}

1;
