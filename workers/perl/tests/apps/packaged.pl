package My::App;
use strict;
sub event { return __PACKAGE__ }
1;
