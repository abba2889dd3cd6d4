"""Runs tools/deps against a pretended Debian and looks at what it would install."""
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile

TOOL = os.path.join(sys.argv.pop(1), "tools", "deps")
BASE = ["build-essential", "meson", "ninja-build", "pkg-config", "python3", "libssl-dev",
        "libyaml-dev", "libsqlite3-dev", "libmicrohttpd-dev", "libgnutls28-dev",
        "libcurl4-openssl-dev", "libpcre2-dev", "libcmocka-dev", "zstd"]
LINT = ["clang-14", "clang-format-14", "clang-tidy-14", "libclang-rt-14-dev", "llvm-14",
        "cppcheck"]

FAKES = {
    "dpkg-query": 'for last; do :; done\n'
                  'grep -qx "$last" "$FAKE/installed" && printf "ii " && exit 0; exit 1\n',
    "apt-cache": 'grep -qx "$2" "$FAKE/available"\n',
    "apt-get": 'echo "apt-get $*" >>"$FAKE/log"\n',
    "sudo": 'echo sudo >>"$FAKE/log"; exec "$@"\n',
    "id": 'echo "$FAKE_UID"\n',
}


def run(installed, available, groups, uid="0"):
    """What the pretended apt-get was told."""
    with tempfile.TemporaryDirectory() as fake:
        for name, text in FAKES.items():
            path = os.path.join(fake, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n" + text)
            os.chmod(path, stat.S_IRWXU)
        for name, words in (("installed", installed), ("available", available)):
            with open(os.path.join(fake, name), "w", encoding="utf-8") as file:
                file.write("".join(word + "\n" for word in words))
        environment = {**os.environ, "PATH": fake + ":" + os.environ["PATH"], "FAKE": fake,
                       "FAKE_UID": uid}
        done = subprocess.run([TOOL, *groups], env=environment, capture_output=True, text=True,
                              check=False)
        log = os.path.join(fake, "log")
        text = ""
        if os.path.exists(log):
            with open(log, encoding="utf-8") as file:
                text = file.read()
        return done.returncode, text.strip().split("\n") if text else []


BENCH = ["nginx-light", "libcjson-dev", "wrk", "openjdk-17-jdk-headless", "maven"]
JAR = "jar\n"
PEERS = {
    "cedar-rust/Cargo.toml": 'rust-version = "1.89"\n',
    "cedar-rust/Cargo.lock.in": 'source = "@REGISTRY@"\n', "cedar-go/go.mod": "go 1.26.0\n",
    "opa/go.mod": "go 1.26.0\n", "opa-server/go.mod": "go 1.26.0\n",
    "openfga/go.mod": "go 1.26.0\n", "cedar-wasm/package-lock.json": "{}\n",
    "go-protocol/go.mod": "go 1.24\n", "sapl/pom.xml": "<project/>\n", "sapl/Peer.java": "",
    "sapl/jars.sha256": hashlib.sha256(JAR.encode()).hexdigest() + "  a.jar\n",
    "oidc-provider/package-lock.json": "{}\n", "hydra/go.mod": "go 1.26.0\n",
    "hydra/tags": "sqlite\n", "keycloak/pom.xml": "<project/>\n",
}
# A compiler of that version, which makes what it is asked for and writes down where.
CARGO = """case $1 in
--version) echo "cargo %s (0000)" ;;
generate-lockfile) echo 'source = "place"' >Cargo.lock ;;
*) echo cargo >>"$FAKE/log"; for last; do :; done
   mkdir -p "$last/release"; : >"$last/release/cedar-rust"; chmod +x "$last/release/cedar-rust" ;;
esac
"""
GO = """case $1 in
env) echo go%s ;;
*) echo go >>"$FAKE/log"; while [ "$1" != -o ]; do shift; done; : >"$2"; chmod +x "$2" ;;
esac
"""
MVN = """echo mvn >>"$FAKE/log"
for word; do case $word in -DoutputDirectory=*) folder=${word#*=} ;; esac; done
mkdir -p "$folder"
case $folder in */archive) cp "$FAKE/a.zip" "$folder" ;; *) printf '%s' >"$folder/a.jar" ;; esac
"""
JAVAC = 'echo javac >>"$FAKE/log"\n'
JAVA = "exit 0\n"
NPM = 'echo npm >>"$FAKE/log"; mkdir -p node_modules; exit %d\n'


class Place:
    """A tree with peers, and tools that only pretend."""
    def __init__(self, folder, tools):
        self.root, self.fake = os.path.join(folder, "root"), os.path.join(folder, "fake")
        self.write(os.path.join(self.fake, "installed"), "".join(w + "\n" for w in BENCH))
        for name, text in {**FAKES, **tools}.items():
            self.write(os.path.join(self.fake, name), "#!/bin/sh\n" + text)
        for name, text in PEERS.items():
            self.write(self.peer(name), text)
        with zipfile.ZipFile(os.path.join(self.fake, "a.zip"), "w") as archive:
            archive.writestr("server/bin/start", "")
        with open(os.path.join(self.fake, "a.zip"), "rb") as file:
            self.seal_archive(file.read())
        os.mkdir(os.path.join(self.root, "tools"))
        shutil.copy(TOOL, os.path.join(self.root, "tools", "deps"))

    def seal_archive(self, of):
        self.write(self.peer("keycloak/archive.sha256"),
                   hashlib.sha256(of).hexdigest() + "  a.zip\n")

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, stat.S_IRWXU)

    def peer(self, name):
        return os.path.join(self.root, "bench", "peers", name)

    def run(self):
        """(status, what it said, which tools built, which peers there are)."""
        environment = {**os.environ, "PATH": self.fake + ":/usr/bin:/bin", "FAKE": self.fake,
                       "FAKE_UID": "0"}
        log = os.path.join(self.fake, "log")
        self.write(log, "")
        done = subprocess.run([os.path.join(self.root, "tools", "deps"), "bench"], check=False,
                              env=environment, capture_output=True, text=True)
        with open(log, encoding="utf-8") as file:
            built = file.read().split()
        folder = os.path.join(self.root, "build", "peers")
        peers = [name for name in sorted(os.listdir(folder))
                 if os.path.exists(os.path.join(folder, name, "peer"))]
        return done.returncode, done.stderr, built, peers


class Peers(unittest.TestCase):
    def place(self, cargo, go, npm, jar=JAR):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Place(folder.name, {"cargo": CARGO % cargo, "go": GO % go, "npm": NPM % npm,
                                   "mvn": MVN % jar.replace("\n", "\\n"), "javac": JAVAC,
                                   "java": JAVA})

    def test_a_peer_whose_tool_is_too_old_is_skipped_and_said(self):
        status, said, built, peers = self.place("1.63.0", "1.19.8", 0).run()
        self.assertEqual((status, built, peers),
                         (0, ["npm", "mvn", "javac", "npm", "mvn"],
                          ["cedar-wasm", "keycloak", "oidc-provider", "sapl"]), said)
        self.assertIn("cargo is older than 1.89", said)
        self.assertIn("go is older than 1.26.0", said)

    def test_a_peer_that_cannot_be_fetched_is_tried_again(self):
        place = self.place("1.89.0", "1.26.0", 1)
        for _ in range(2):
            status, said, built, peers = place.run()
            self.assertEqual(status, 0, said)
            self.assertIn("npm", built)
            self.assertNotIn("cedar-wasm", peers)

    def test_a_jar_of_other_bytes_is_refused(self):
        status, said, built, peers = self.place("1.89.0", "1.26.0", 0, "other\n").run()
        self.assertEqual(status, 0, said)
        self.assertIn("jars are not those of jars.sha256", said)
        self.assertNotIn("javac", built)
        self.assertNotIn("sapl", peers)

    def test_an_archive_of_other_bytes_is_refused(self):
        place = self.place("1.89.0", "1.26.0", 0)
        place.seal_archive(b"another one")
        status, said, built, peers = place.run()
        self.assertEqual(status, 0, said)
        self.assertIn("its archive is not that of archive.sha256", said)
        self.assertNotIn("keycloak", peers)
        self.assertIn("sapl", peers)

    def test_a_peer_is_built_once_until_its_files_change(self):
        place = self.place("1.100.1", "1.26", 0)
        for name in ("cedar-go", "opa", "opa-server", "openfga", "hydra"):
            place.write(place.peer(name + "/go.mod"), "go 1.26\n")
        status, said, built, peers = place.run()
        self.assertEqual((status, built),
                         (0, ["cargo", "go", "npm", "go", "go", "go", "mvn", "javac", "npm", "go",
                              "mvn"]), said)
        self.assertEqual(peers, ["cedar-go", "cedar-rust", "cedar-wasm", "hydra", "keycloak",
                                 "oidc-provider", "opa", "opa-server", "openfga", "sapl"])
        self.assertEqual(place.run()[1:], ("", [], peers))
        place.write(place.peer("opa/github.rego"), "package github\n")
        self.assertEqual(place.run()[2], ["go"])
        place.write(place.peer("go-protocol/protocol.go"), "package protocol\n")
        self.assertEqual(place.run()[2].count("go"), 5)


class Stories(unittest.TestCase):
    """The folders of Node packages: which of them npm is called in."""
    FOLDERS = ["examples", "tests/e2e", "tests/contract/cedar"]

    def folders(self, *groups):
        with tempfile.TemporaryDirectory() as top:
            place = Place(top, {"node": "echo 20\n", "npm": 'pwd >>"$FAKE/log"; mkdir -p '
                                                           'node_modules\n'})
            place.write(os.path.join(place.fake, "installed"),
                        "".join(word + "\n" for word in [*BASE, "ca-certificates"]))
            for folder in self.FOLDERS:
                place.write(os.path.join(place.root, folder, "package-lock.json"), "{}\n")
            environment = {**os.environ, "PATH": place.fake + ":/usr/bin:/bin",
                           "FAKE": place.fake, "FAKE_UID": "0"}
            done = subprocess.run([os.path.join(place.root, "tools", "deps"), *groups],
                                  check=False, env=environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(place.fake, "log"), encoding="utf-8") as file:
                return [os.path.relpath(line, os.path.realpath(place.root))
                        for line in file.read().split("\n") if line]

    def test_the_first_look_waits_for_no_tests(self):
        self.assertEqual(self.folders("build", "stories"), ["examples"])


class Deps(unittest.TestCase):
    def test_an_unknown_group_is_refused(self):
        self.assertEqual(run(BASE, [], ["everything"])[0], 2)

    def test_nothing_missing_calls_nothing(self):
        self.assertEqual(run(BASE + LINT, BASE + LINT, ["build", "lint"]), (0, []))

    def test_exactly_what_is_missing_is_installed(self):
        status, log = run([word for word in BASE if word != "zstd"], BASE, ["build"])
        self.assertEqual(status, 0)
        self.assertEqual(len(log), 2, log)
        self.assertTrue(log[0].startswith("apt-get update"))
        self.assertTrue(log[1].endswith("--no-install-recommends zstd"), log[1])

    def test_without_root_it_asks_sudo(self):
        _, log = run(BASE[1:], BASE, ["build"], uid="1000")
        self.assertEqual(log.count("sudo"), 2)

    def test_a_newer_debian_gets_its_own_compiler(self):
        newer = ["clang", "clang-format", "clang-tidy", "libclang-rt-dev", "llvm", "cppcheck"]
        _, log = run(["cppcheck"], newer, ["lint"])
        self.assertTrue(log[1].endswith("clang clang-format clang-tidy libclang-rt-dev llvm"),
                        log[1])
        self.assertEqual(run(newer, newer, ["lint"]), (0, []))


if __name__ == "__main__":
    unittest.main()
