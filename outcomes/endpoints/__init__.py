"""A trial's endpoint definitions: their pages, their API, and what a change would move."""
