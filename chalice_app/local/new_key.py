"""Make an API key and print it, this once, with the hash by which the app knows it.

make key            # or: python -m chalice_app.local.new_key
"""

import secrets
import sys

from chalicelib.auth import hash_of

# 256 bits: nobody tries them all, so the hash needs no salt and no slowness.
RANDOM_BYTES = 32


def main() -> None:
    key = f"verdict_{secrets.token_urlsafe(RANDOM_BYTES)}"
    print(f"key   {key}\nhash  {hash_of(key)}")
    print(
        "Whoever calls sends the key in X-Api-Key; it is kept nowhere. The hash goes into API_KEYS, which\n"
        "may hold several with commas between, beside AUTH=key.",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
