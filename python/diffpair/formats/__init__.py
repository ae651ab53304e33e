"""Files of other programs: a potential written for them (`diffpair export`) and read from them (`diffpair import`).

One module per format. ``names`` and ``units`` are what all share, ``resolution`` says how many rows a table needs for
the way in which its program interpolates, ``curve`` is what a reader makes of a file and ``least_squares`` the way from
curves to a PairTable; ``writing`` and ``reading`` are the doors. No torch.
"""
