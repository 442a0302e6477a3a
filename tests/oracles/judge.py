"""PyJWT's verdict on each token of a corpus, one a line: `accepted`, or why not.

Set up as its documentation says for a token of an authorization server: the key by `kid` from the key set, the algorithm fixed, audience
and issuer given, `exp` required.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jwt


def main(folder: Path) -> None:
    rules = json.loads((folder / "rules.json").read_text())
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_json((folder / "keys.json").read_text()).keys}
    with (folder / "corpus.jsonl").open() as corpus:
        for line in corpus:
            print(verdict(json.loads(line)["token"], keys, rules))


def verdict(token: str, keys: dict[str, jwt.PyJWK], rules: dict[str, object]) -> str:
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        jwt.decode(
            token, key, algorithms=["RS256"], audience=rules["audiences"], issuer=rules["issuers"], leeway=rules["leeway"],
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.PyJWTError as error:
        return type(error).__name__
    except Exception as error:  # A verifier that breaks has not accepted.
        return f"broke off: {type(error).__name__}"
    return "accepted"


main(Path(sys.argv[1]))
