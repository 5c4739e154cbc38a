"""Make an API key and print it once, with its hash for API_KEYS.

make key            # or: python -m chalice_app.local.new_key
"""

import secrets
import sys

from chalicelib.auth import hash_of

# 256 bits can't be guessed, so the hash needs no salt and no slow function.
RANDOM_BYTES = 32


def main() -> None:
    key = f"verdict_{secrets.token_urlsafe(RANDOM_BYTES)}"
    print(f"key   {key}\nhash  {hash_of(key)}")
    print(
        "Callers send the key in X-Api-Key. It is stored nowhere. Set AUTH=key, and put the hash into\n"
        "API_KEYS; separate several hashes with commas.",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
