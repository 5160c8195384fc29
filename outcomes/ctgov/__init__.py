"""A trial as a ClinicalTrials.gov study, with a draft of its results section."""
