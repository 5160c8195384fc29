"""Values -> coordinates of the drawings, a module each; templates draw them."""
