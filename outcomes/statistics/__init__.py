"""The page of a trial's statistics: every number with its method's name."""
