"""Models that compare words and pictures: many masks of one image, and texts, as vectors of one space."""
