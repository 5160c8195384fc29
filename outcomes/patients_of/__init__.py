"""The patients behind a number of a report: who is counted, since when, and why."""
