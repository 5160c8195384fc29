"""A trial's report as a document: a page that prints, and the same as JSON."""
