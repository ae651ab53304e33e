"""What is measured on frames: with NumPy and OpenMM in `rdf` and `pressure`, differentiably with torch in all others.

Nothing is imported here, so that production can be without torch.
"""
