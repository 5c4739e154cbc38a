"""Encode reviews as the deployed Lambda does: only chalice_app/ and its vendor/ on the path.

    python -I tests/vocab/encode_elsewhere.py REVIEWS.json [FOLDER_OF_PACKAGES]

Prints JSON: the interpreter's version, where ``vocab`` came from, the fingerprint, the ids, and the
number of ids in each sentence.
"""

import json
import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "chalice_app"

if __name__ == "__main__":
    sys.path[:0] = [str(APP), str(APP / "vendor"), *sys.argv[2:]]
    from vocab import vocabulary

    words = vocabulary.load()
    reviews = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    encoded = [words.encode(review) for review in reviews]
    print(
        json.dumps(
            {
                "python": sys.version.split()[0],
                "vocab": vocabulary.__file__,
                "fingerprint": words.fingerprint,
                "ids": [one.ids for one in encoded],
                "lengths": [one.lengths for one in encoded],
            }
        )
    )
