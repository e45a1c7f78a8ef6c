"""Words and pictures in one space: what an instance looks like, what a text means, how well they fit."""
