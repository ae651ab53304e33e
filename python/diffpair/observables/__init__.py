"""What is measured on frames. Only `smooth_rdf` needs torch, and it is not imported here."""
