"""From where on a curve of production is not that of its target."""

FAR, LARGE = 5.0, 0.02  # mean |g - target| above so many times its noise and above this: g is not reproduced
LARGE_L1 = 0.05  # integral |p - target|, likewise: one bond in forty is where the target has none
LEAST_BOUND = 0.005  # of a difference's axis, in units of g or of the highest p: less is no difference
