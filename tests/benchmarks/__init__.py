"""How the registry compares with doing the bare minimum: `make bench` prints one table of ratios."""
