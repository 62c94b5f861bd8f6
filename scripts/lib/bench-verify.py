"""bench-verify.py [--quick | LINKS ARTIFACTS RULES]: see scripts/bench-verify."""

import base64
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

# Links, artifacts of each, rules of each list; a negative number of rules is of patterns that make naive matchers take
# for ever.
CHAINS = [
    ("1,000 links, 300 artifacts each", 1000, 300, 3),
    ("10,000 links, 3 artifacts each", 10000, 3, 3),
    ("1 link, 100,000 artifacts", 1, 100000, 3),
    ("1 link, 100,000 artifacts, 1,000 rules", 1, 100000, 1000),
    ("1 link, 100,000 artifacts, 20 hostile patterns", 1, 100000, -20),
]
# For the quick form: what grows fourfold, from where; the same as above.
GROWTHS = [
    ("links", (100, 3, 3), (400, 3, 3)),
    ("artifacts", (1, 1000, 3), (1, 4000, 3)),
    ("rules", (1, 300, 50), (1, 300, 200)),
    ("hostile patterns", (1, 200, -5), (1, 200, -20)),
    ("refused artifacts", (1, 1000, 0), (1, 4000, 0)),
    ("functionaries, in one bundle", (100, 3, 3, True), (400, 3, 3, True)),
]
# Fourfold work may take this many times as long; what grows with the square takes sixteen times.
MOST_GROWTH = 7
# In seconds, for one verification.
PATIENCE = 300


def new_key():
    key = Ed25519PrivateKey.generate()
    return key, SSlibKey.from_crypto(key.public_key())


def envelope(value, key, public):
    """A line of a bundle."""
    payload = json.dumps(value).encode()
    kind = "application/vnd.in-toto+json"
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    signature = base64.b64encode(key.sign(message)).decode()
    return json.dumps({
        "payload": base64.b64encode(payload).decode(), "payloadType": kind,
        "signatures": [{"keyid": public.keyid, "sig": signature}],
    })


def write_chain(directory, links, artifacts, rules, bundled=False):
    """Bundled: every link is signed by a key of its own, and all stand in one file."""
    key, public = new_key()
    functionaries = {}
    lines = []
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
        signer, functionary = new_key() if bundled else (key, public)
        functionaries[functionary.keyid] = {
            "keyid": functionary.keyid, "keytype": "ed25519", "scheme": "ed25519", "keyval": functionary.keyval}
        before = [["MATCH", "*", "WITH", "PRODUCTS", "FROM", f"step{index - 1}"]] if index else [["ALLOW", "src/*"]]
        if rules > 0:
            extra = [["ALLOW", f"lib{i}/*.o" if i % 2 else f"*/lib{i}.o"] for i in range(rules - 2)]
        elif rules == 0:
            # Every artifact breaks a rule, and nearly matches something.
            extra = [["MATCH", "*", "IN", "src", "WITH", "MATERIALS", "FROM", f"step{index}"], ["DISALLOW", "*"]]
        else:
            extra = [["ALLOW", "*a" * 20 + f"b{i}"] for i in range(-rules)] + [["ALLOW", "*[0-9]" * 10 + f"x{i}"] for i in range(-rules)]
        steps.append({
            "_type": "step", "name": f"step{index}", "threshold": 1, "pubkeys": [functionary.keyid], "expected_command": [],
            "expected_materials": extra + before + [["DISALLOW", "*"]],
            "expected_products": extra + [["MATCH", "src/*", "WITH", "MATERIALS", "FROM", f"step{index}"], ["DISALLOW", "*"]],
        })
        link = {
            "_type": "link", "name": f"step{index}", "command": [], "materials": names, "products": names,
            "byproducts": {}, "environment": {},
        }
        if bundled:
            lines.append(envelope(link, signer, functionary) + "\n")
        else:
            write(f"step{index}.{public.keyid[:8]}.link", link)
    if lines:
        with open(os.path.join(directory, "links.intoto.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(lines)
    write("layout", {
        "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "inspect": [], "steps": steps,
        "keys": functionaries,
    })


def measure(command, directory, limit, expected):
    """Seconds, seconds of processor and peak memory in MB of one run, which has to end as expected."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    seconds = time.monotonic() - start
    if process.returncode != expected:
        sys.exit(f"{command[0]}: status {process.returncode}: {output.decode('utf-8', 'replace')[:2000]}")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def in_fresh_process(*arguments):
    """RUSAGE_CHILDREN is the largest child ever: each measurement has a parent of its own."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, json.dumps(measure(*arguments)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.wait()
    if not text:
        sys.exit(1)
    return json.loads(text)


def verify(program, *options):
    return [program, *options, "-l", "layout", "--verification-keys", "owner.pub"]


def compare(chains):
    """Prints the table: ours is the best of three, Python, which takes so much longer, runs once."""
    ours = verify(os.environ["INTOTO_RUN"], "verify")
    python = verify(os.path.join(os.path.dirname(sys.executable), "in-toto-verify"), "-q")
    print("| chain | evidence | ours | Python | ratio |\n|---|---|---|---|---|")
    for title, links, artifacts, rules in chains:
        with tempfile.TemporaryDirectory() as directory:
            write_chain(directory, links, artifacts, rules)
            size = sum(entry.stat().st_size for entry in os.scandir(directory)) / 1e6
            expected = wanted_status(artifacts, rules)
            runs = [in_fresh_process(ours, directory, PATIENCE, expected)]
            if runs[0]:
                runs += [in_fresh_process(ours, directory, PATIENCE, expected) for _ in range(2)]
            own = min(filter(None, runs), default=None)
            peer = in_fresh_process(python, directory, PATIENCE, expected)
            print(f"| {title} | {size:.0f} MB | {shown(own)} | {shown(peer)} | {ratio(own, peer)} |", flush=True)


def wanted_status(artifacts, rules):
    """Without rules of their own, the artifacts of these chains are forbidden."""
    return 1 if rules == 0 and artifacts else 0


def shown(run):
    return f"more than {PATIENCE} s" if run is None else f"{run[0]:.2f} s, {run[2]:.0f} MB"


def ratio(own, peer):
    if own is None:
        return "?" if peer is None else f"< {peer[0] / PATIENCE:.2g}"
    return f"> {PATIENCE / own[0]:.0f}" if peer is None else f"{peer[0] / own[0]:.0f}"


def processor_time(sizes):
    with tempfile.TemporaryDirectory() as directory:
        write_chain(directory, *sizes)
        command = verify(os.environ["INTOTO_RUN"], "verify")
        runs = [in_fresh_process(command, directory, PATIENCE, wanted_status(*sizes[1:3])) for _ in range(2)]
        if None in runs:
            sys.exit(f"{sizes}: no end within {PATIENCE} s")
        return min(run[1] for run in runs)


def check_growth():
    """Fourfold work takes about four times as long, whatever grows; exit 1 where it does not."""
    failed = False
    idle = processor_time((1, 1, 3))
    print("| fourfold | before | after | growth |\n|---|---|---|---|")
    for title, small, large in GROWTHS:
        before, after = (processor_time(sizes) for sizes in (small, large))
        growth = (after - idle) / max(before - idle, 0.001)
        print(f"| {title} | {before:.3f} s | {after:.3f} s | {growth:.1f} |", flush=True)
        failed = failed or growth > MOST_GROWTH
    sys.exit(failed)


def main():
    if sys.argv[1:] == ["--quick"]:
        check_growth()
    elif len(sys.argv) == 4:
        compare([("as given", *(int(word) for word in sys.argv[1:]))])
    elif len(sys.argv) == 1:
        compare(CHAINS)
    else:
        sys.exit(__doc__)


main()
