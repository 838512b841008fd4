use No::Such::Module; sub event { 1 } 1;
