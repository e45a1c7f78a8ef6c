"""Masks by Segment Anything: SAM through segment_anything, SAM 2.1 and SAM 3 through transformers."""
