"""Constants of nature in the package's units."""

BOLTZMANN = 0.00831446261815324  # kJ/mol/K, exact since the SI of 2019
