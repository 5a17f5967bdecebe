"""A person knocks: a focal point on drafts and on what was sent, a delegate with a signed link."""
