"""What the system opens for a URL at a desk: somebody who signs in, declines, or does nothing. Started by valet as `xdg-open URL`.

`will.json` in the folder of the desk says which. The arguments are noted in `opened`, what was seen in `visits`, and codes, of which nothing may be
found elsewhere, in `canaries`."""

import json
import sys
from pathlib import Path


def main() -> None:
    folder, arguments = Path(sys.argv[1]), sys.argv[2:]
    note(folder / "opened", json.dumps(arguments))
    will = json.loads((folder / "will.json").read_text())
    if will["press"] == "nothing":
        return
    sys.path.insert(0, will["harness"])
    import signin
    from tls import trusting
    import urllib.parse
    import urllib.request

    tls = trusting(will["ca_files"])
    outcome = signin.sign_in(arguments[-1], will["user"], tls, by_header=False, press=will["press"])
    if "code" in outcome.answer:
        note(folder / "canaries", outcome.answer["code"])
    data = urllib.parse.urlencode(outcome.answer).encode()
    status, _, page = signin.send(signin.opener(tls), urllib.request.Request(outcome.posted_to, data=data))
    note(folder / "visits", json.dumps({"pages": outcome.pages, "status": status, "page": page}))


def note(file: Path, line: str) -> None:
    with file.open("a") as kept:
        kept.write(line + "\n")


if __name__ == "__main__":
    main()
