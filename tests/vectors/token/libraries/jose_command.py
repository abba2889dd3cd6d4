"""What libjose, by its command `jose`, makes of the tokens that `jwt-cases --write` wrote
(README.md).  It hands the claims over as bytes.

Usage: jose_command.py FILE"""
import json
import os
import subprocess
import sys
import tempfile


def version():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "jose"], check=False,
                          capture_output=True, text=True)
    return done.stdout or "unknown"


def verdict(token, key):
    done = subprocess.run(["jose", "jws", "ver", "-i", "-", "-k", key], check=False,
                          input=token.encode(), capture_output=True)
    if done.returncode < 0:
        return "crashes"
    return "takes" if done.returncode == 0 else "refuses"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    print(json.dumps({"library": f"libjose {version()}", "asks": ["alg"]}))
    with tempfile.TemporaryDirectory() as folder:
        for line in lines:
            path = os.path.join(folder, line["key"])
            if "jwk" in line:
                with open(path, "w", encoding="utf-8") as file:
                    json.dump({**line["jwk"], "alg": line["alg"]}, file)
            elif line["key"] != "ed":  # it has no EdDSA
                print(json.dumps({"case": line["case"], "token": verdict(line["token"], path),
                                  "twin": verdict(line["twin"], path)}))


main()
