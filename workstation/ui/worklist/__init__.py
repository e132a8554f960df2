"""The worklist place: exams to read, what is known of each, and where their results are."""
