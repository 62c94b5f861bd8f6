"""bench-verify.py [LINKS ARTIFACTS RULES]: see scripts/bench-verify."""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibKey

# Links, artifacts of each, rules of each list; the last is of patterns that make naive matchers take for ever.
CHAINS = [
    ("1,000 links, 300 artifacts each", 1000, 300, 3),
    ("10,000 links, 3 artifacts each", 10000, 3, 3),
    ("1 link, 100,000 artifacts", 1, 100000, 3),
    ("1 link, 100,000 artifacts, 1,000 rules", 1, 100000, 1000),
    ("1 link, 100,000 artifacts, 20 hostile patterns", 1, 100000, -20),
]
OURS = "ours"
PYTHON = "Python"


def write_chain(directory, links, artifacts, rules):
    key = Ed25519PrivateKey.generate()
    public = SSlibKey.from_crypto(key.public_key())
    with open(os.path.join(directory, "owner.pub"), "wb") as file:
        file.write(key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))

    def write(name, value):
        signature = key.sign(encode_canonical(value).encode()).hex()
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            json.dump({"signed": value, "signatures": [{"keyid": public.keyid, "sig": signature}]}, file)

    names = {f"src/dir{i % 97}/file-{i:06}.c": {"sha256": hashlib.sha256(b"%d" % i).hexdigest()} for i in range(artifacts)}
    steps = []
    for index in range(links):
        before = [["MATCH", "*", "WITH", "PRODUCTS", "FROM", f"step{index - 1}"]] if index else [["ALLOW", "src/*"]]
        if rules > 0:
            extra = [["ALLOW", f"lib{i}/*.o"] for i in range(rules - 2)]
        else:
            extra = [["ALLOW", "*a" * 20 + f"b{i}"] for i in range(-rules)] + [["ALLOW", "*[0-9]" * 10 + f"x{i}"] for i in range(-rules)]
        steps.append({
            "_type": "step", "name": f"step{index}", "threshold": 1, "pubkeys": [public.keyid], "expected_command": [],
            "expected_materials": extra + before + [["DISALLOW", "*"]],
            "expected_products": extra + [["MATCH", "src/*", "WITH", "MATERIALS", "FROM", f"step{index}"], ["DISALLOW", "*"]],
        })
        write(f"step{index}.{public.keyid[:8]}.link", {
            "_type": "link", "name": f"step{index}", "command": [], "materials": names, "products": names,
            "byproducts": {}, "environment": {},
        })
    write("layout", {
        "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "inspect": [], "steps": steps,
        "keys": {public.keyid: {
            "keyid": public.keyid, "keytype": "ed25519", "scheme": "ed25519", "keyval": public.keyval}},
    })


def measure(command, directory, limit):
    """Seconds and peak memory of one run, which has to accept."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, None
    seconds = time.monotonic() - start
    if process.returncode != 0:
        sys.exit(f"{command[0]} refused: {output.decode('utf-8', 'replace')[:2000]}")
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def in_fresh_process(command, directory, limit):
    """RUSAGE_CHILDREN is the largest child ever: each measurement has a parent of its own."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, json.dumps(measure(command, directory, limit)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.wait()
    return json.loads(text)


def main():
    chains = CHAINS
    if len(sys.argv) == 4:
        chains = [("as given", *(int(word) for word in sys.argv[1:]))]
    elif len(sys.argv) != 1:
        sys.exit(__doc__)
    commands = {
        OURS: [os.environ["INTOTO_RUN"], "verify", "-l", "layout", "--verification-keys", "owner.pub"],
        PYTHON: [os.path.join(os.path.dirname(sys.executable), "in-toto-verify"), "-q", "-l", "layout", "--verification-keys", "owner.pub"],
    }
    for title, links, artifacts, rules in chains:
        with tempfile.TemporaryDirectory() as directory:
            write_chain(directory, links, artifacts, rules)
            size = sum(entry.stat().st_size for entry in os.scandir(directory)) / 1e6
            print(f"{title} ({size:.0f} MB)")
            for name, command in commands.items():
                seconds, memory = in_fresh_process(command, directory, 300)
                print(f"  {name}: more than 300 s" if seconds is None else f"  {name}: {seconds:.2f} s, {memory:.0f} MB")


main()
