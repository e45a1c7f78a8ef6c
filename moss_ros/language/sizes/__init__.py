"""How large things are, as evidence for what they are."""
