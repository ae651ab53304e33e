"""The iterations: sample, measure, judge, step; each decision in a file of its own."""
