"""When a fit is done, how far its potential is known, and whether production bears it out."""
