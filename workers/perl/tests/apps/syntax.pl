sub event { my ($x = @_; }
