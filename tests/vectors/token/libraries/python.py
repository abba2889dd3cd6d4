"""What a Python library makes of the tokens that `jwt-cases --write` wrote (README.md).

Usage: python.py pyjwt|jose FILE"""
import json
import sys
import warnings

warnings.simplefilter("ignore")
NAME, FILE = sys.argv[1:]
RULES = {"issuer": "https://issuer.example", "audience": "https://aud.example"}
if NAME == "pyjwt":
    import jwt
    TITLE, ASKS, WITHOUT = f"PyJWT {jwt.__version__}", ["alg", "iss", "aud", "exp", "nbf"], []

    def verify(token, key):
        names = ["EdDSA"] if key["alg"] == "Ed25519" else [key["alg"]]
        jwt.decode(token, key["pem"], algorithms=names, leeway=60, options={"require": ["exp"]},
                   **RULES)
else:
    import jose
    from jose import jwt
    TITLE = f"python-jose {jose.__version__}"
    ASKS, WITHOUT = ["alg", "iss", "sub", "aud", "exp", "nbf"], ["ed", "ps"]

    def verify(token, key):
        jwt.decode(token, key["pem"], algorithms=[key["alg"]], subject="agent:1",
                   options={"leeway": 60, "require_exp": True}, **RULES)


def verdict(token, key):
    try:
        verify(token, key)
        return "takes"
    except Exception:  # whatever it throws, the token was not taken
        return "refuses"


def main():
    with open(FILE, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    keys = {line["key"]: line for line in lines if "jwk" in line}
    print(json.dumps({"library": TITLE, "asks": ASKS}))
    for line in lines:
        if "case" in line and line["key"] not in WITHOUT:
            key = keys[line["key"]]
            print(json.dumps({"case": line["case"], "token": verdict(line["token"], key),
                              "twin": verdict(line["twin"], key)}))


main()
