"""References that people read out over a bad line: no 0, 1, I, L, O and U."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new(prefix: str) -> str:
    """“GCM-7F3K-92QD”: 30^8 of them, drawn at random, so that nobody can count or guess."""
    letters = "".join(secrets.choice(ALPHABET) for _position in range(8))
    return f"{prefix}-{letters[:4]}-{letters[4:]}"
