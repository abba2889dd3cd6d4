// What github.com/golang-jwt/jwt makes of the tokens that `jwt-cases --write` wrote
// (../README.md).
//
// Usage: go-jwt FILE
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type line struct {
	Key, Alg, Pem, Case, Token, Twin string
	Now                              int64
}

const module = "github.com/golang-jwt/jwt/v5"

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return ""
}

func verdict(token string, key line) (said string) {
	defer func() {
		if recover() != nil {
			said = "crashes"
		}
	}()
	block, _ := pem.Decode([]byte(key.Pem))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	must(err)
	name := key.Alg
	if name == "Ed25519" {
		name = "EdDSA"
	}
	_, err = jwt.Parse(token, func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithValidMethods([]string{name}), jwt.WithIssuer("https://issuer.example"),
		jwt.WithSubject("agent:1"), jwt.WithAudience("https://aud.example"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(time.Minute),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return time.Unix(key.Now, 0) }))
	if err != nil {
		return "refuses"
	}
	return "takes"
}

func main() {
	file, err := os.Open(os.Args[1])
	must(err)
	keys := map[string]line{}
	reader := bufio.NewScanner(file)
	reader.Buffer(nil, 16*1024*1024)
	out := json.NewEncoder(os.Stdout)
	must(out.Encode(map[string]any{"library": module + " " + version(),
		"asks": []string{"alg", "iss", "sub", "aud", "exp", "nbf", "iat", "clock"}}))
	for reader.Scan() {
		var one line
		must(json.Unmarshal(reader.Bytes(), &one))
		if one.Case == "" {
			keys[one.Key] = one
			continue
		}
		must(out.Encode(map[string]string{"case": one.Case,
			"token": verdict(one.Token, keys[one.Key]), "twin": verdict(one.Twin, keys[one.Key])}))
	}
	must(reader.Err())
}
