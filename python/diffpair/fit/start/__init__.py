"""Before the first step: scales, the potential that a fit begins with, and what theory knows of g(r)."""
