use 5.030;
use strict;
use warnings;
use File::Find ();
use Test::More;
use FindBin;

# The SDK's files know each other in one direction only: by use and require, and by names of packages in their code.

my $lib = "$FindBin::Bin/../lib";
my (%text, %uses, %home);
File::Find::find({ no_chdir => 1, wanted => sub {
    return if !/\.pm\z/;
    open my $file, '<', $_ or die "$_: $!";
    my $text = do { local $/; <$file> };
    $text =~ s/^__END__.*//ms;
    $text =~ s/^\s*#.*//mg;
    my ($name) = m{^\Q$lib\E/(.*)\.pm\z};
    $name =~ s{/}{::}g;
    $text{$name} = $text;
    $home{$_} = $name for $text =~ /^package ([\w:]+)/mg;
} }, $lib);

for my $name (keys %text) {
    my @named = $text{$name} =~ /\b(Cocaine(?:::\w+)*)/g;
    for my $word (@named) {
        my $package = $word;
        $package =~ s/::\w+\z// while !$home{$package} && $package =~ /::/;
        $uses{$name}{ $home{$package} } = 1 if $home{$package} && $home{$package} ne $name;
    }
}

ok keys %text > 20, 'there is something to look at';
ok $uses{'Cocaine::Session'}{'Cocaine::Channels'} && $uses{'Cocaine::Frames'}{'Cocaine::MessagePack'}, 'and it is seen';

# Files that use no other but those already taken away go, round by round; those that are left stand in a circle, or above one.
my %left = map { $_ => 1 } keys %text;
while (my @free = grep { my $name = $_; !grep { $left{$_} } keys %{ $uses{$name} } } keys %left) {
    delete @left{@free};
}
is_deeply [sort keys %left], [], 'no circle';

for my $name (sort keys %text) {
    is_deeply [$text{$name} =~ /^(.{141,})/mg], [], "$name: lines within their bound";
}

# A number that says something has a name.
for my $name (grep { !/::(?:Limits|Frames|Headers|MessagePack)\z/ } sort keys %text) {
    my @bare = $text{$name} =~ /^(.*\b(?:404|502|1000|42|0\.001)\b.*)$/mg;
    is_deeply \@bare, [], "$name: codes and times by their names";
}

done_testing;
