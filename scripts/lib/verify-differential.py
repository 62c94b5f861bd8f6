"""verify-differential.py [COUNT] [--seed N] [--keep DIR]: see scripts/verify-differential."""

import argparse
import base64
import collections
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from in_toto.models.metadata import Metadata
from in_toto.verifylib import in_toto_verify
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibKey

# Lines of the table of strictness (Documentation.docc/Verification.md), by the word that stands there: which of the two
# may refuse what the other accepts, and what our refusal says.
TABLE = {
    "link-name": ("ours", r"the link is of step"),
    "distinct-keys": ("ours", r"distinct usable key"),
    "required-members": ("ours", r"has no member|is no time"),
    "thresholds": ("ours", r"'threshold' of step"),
    "unknown-members": ("ours", r"unknown member"),
    "signed-as-read": ("ours", r"is bad: altered content|has no member|unknown member"),
    "agreement": ("ours", r"disagree"),
    "names": ("both", r"are one artifact|is no name|forbids|is not met|disagree"),
    "digests": ("both", r"has no digest|forbids|disagree"),
    "step-names": ("ours", r"step name"),
    "duplicate-members": ("ours", r"stands twice"),
    "private-keys": ("ours", r"PRIVATE KEY"),
    "key-labels": ("ours", r"not the label of the key"),
    "empty-layouts": ("ours", r"neither steps nor inspections"),
    "payload-types": ("ours", r"unknown kind of metadata"),
    "unreadable-evidence": ("theirs", None),
    "any-signature": ("theirs", None),
    "key-ids": ("theirs", None),
    "key-schemes": ("ours", r"distinct usable keys|needs links from"),
    "limits": ("ours", r"has more than"),
}

NAMES = ["a", "b", "c.txt", "src/a", "src/b", "src/sub/c", "dist/x", "é", "e\u0301", "a b", "[x]", "*", "A", "x\n"]
PATTERNS = [
    "*", "*", "*", "src/*", "dist/*", "?", "a*", "*a", "[ab]", "[!a]*", "[a-c]*", "src/[a-c]", "*/c", "src", "",
    "[", "[]", "[x]", "[[]x]", "\\*", "c.???", "*.*", "src/**", "é", "[é]", "[b-a]", "[!]a]", "a", "b", "src/a",
]
PREFIXES = ["src", "src/", "dist", "", "sr", "src/sub"]


GOOD_DATES = ["2096-02-29T12:00:00Z", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2050-04-30T00:00:00Z"]


class Key:
    def __init__(self, private=None, scheme="ed25519"):
        self.private = private or Ed25519PrivateKey.generate()
        key = SSlibKey.from_crypto(self.private.public_key(), scheme=scheme)
        self.keyid, self.keytype, self.scheme = key.keyid, key.keytype, scheme
        self.public = key.keyval["public"]
        legacy = {
            "keyid_hash_algorithms": ["sha256", "sha512"], "keytype": self.keytype,
            "keyval": {"public": self.public.strip()}, "scheme": scheme,
        }
        self.legacy_keyid = hashlib.sha256(encode_canonical(legacy).encode()).hexdigest()

    def object(self, keyid=None):
        return {
            "keyid": keyid or self.keyid, "keytype": self.keytype, "scheme": self.scheme,
            "keyval": {"public": self.public}}

    def sign(self, message):
        if self.scheme == "ed25519":
            return self.private.sign(message)
        hash = HASHES[self.scheme[-3:]]()
        if self.keytype == "ecdsa":
            return self.private.sign(message, ec.ECDSA(hash))
        is_pss = self.scheme.startswith("rsassa-pss")
        return self.private.sign(
            message, padding.PSS(padding.MGF1(hash), hash.digest_size) if is_pss else padding.PKCS1v15(), hash)


HASHES = {
    "224": hashes.SHA224, "256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512, "521": hashes.SHA512}
RSA = rsa.generate_private_key(65537, 2048)
# One key of each other scheme that Python knows; the RSA ones are the same key.
SCHEMED = [
    Key(RSA, f"{kind}-sha{length}") for kind in ("rsassa-pss", "rsa-pkcs1v15") for length in (224, 256, 384, 512)
] + [
    Key(ec.generate_private_key(curve()), f"ecdsa-sha2-{name}")
    for name, curve in (("nistp256", ec.SECP256R1), ("nistp384", ec.SECP384R1), ("nistp521", ec.SECP521R1))]
KEYS = [Key() for _ in range(6)]
OWNER, ALICE, BOB, CARL, STRANGER, _ = KEYS


def digest(value):
    return {"sha256": hashlib.sha256(str(value).encode()).hexdigest()}


class Chain:
    """A layout and its links as plain values, changed before they are signed or after."""

    def __init__(self, rng):
        self.rng = rng
        self.tags = set()
        self.is_gentle = rng.random() < 0.6  # few rules that could fail
        self.layout_dsse = rng.random() < 0.6
        self.links_dsse = rng.random() < 0.5
        self.files = {}  # extra or replaced files, by name, as bytes
        self.after = []  # changes of container objects: (file name or "layout", function)
        names = rng.sample(["one", "two", "three", "four"], rng.randint(1, 4))
        self.steps = [self.step(name, names) for name in names]
        self.links = [self.link(index, step) for index, step in enumerate(self.steps)]
        self.layout = {
            "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "inspect": [],
            "keys": {key.keyid: key.object() for key in (ALICE, BOB, CARL)}, "steps": self.steps,
        }
        # Who signs which step's link: a list of (signer, label, link).
        self.signed = [
            [(self.key(keyid), keyid, link) for keyid in step["pubkeys"][: step["threshold"]]]
            for step, link in zip(self.steps, self.links)
        ]

    @staticmethod
    def key(keyid):
        return next(key for key in KEYS + SCHEMED if keyid in (key.keyid, key.legacy_keyid))

    def step(self, name, names):
        keys = [key.keyid for key in self.rng.sample([ALICE, BOB, CARL], self.rng.randint(1, 3))]
        return {
            "_type": "step", "name": name, "threshold": self.rng.choice([1, 1, 1, len(keys)]), "pubkeys": keys,
            "expected_command": [], "expected_materials": self.rules(names), "expected_products": self.rules(names),
        }

    def rules(self, names):
        rules = [self.rule(names) for _ in range(self.rng.choice([0, 1, 1, 2, 3, 5]))]
        end = self.rng.random()
        if self.is_gentle:
            rules = [rule for rule in rules if rule[0] not in ("DISALLOW", "REQUIRE")]
            return rules + ([["ALLOW", "*"], ["DISALLOW", "*"]] if end < 0.4 else [])
        if end < 0.3:
            rules.append(["ALLOW", "*"])
        if end < 0.5:
            rules.append(["DISALLOW", "*"])
        return rules

    def rule(self, names):
        kind = self.rng.choice(
            ["ALLOW", "ALLOW", "CREATE", "CREATE", "DELETE", "MODIFY", "MATCH", "MATCH", "MATCH", "DISALLOW", "REQUIRE"])
        if kind == "REQUIRE" or (kind == "DISALLOW" and self.rng.random() < 0.7):
            return [kind, self.rng.choice(NAMES)]
        pattern = self.rng.choice(PATTERNS)
        if kind != "MATCH":
            return [self.rng.choice([kind, kind.lower()]), pattern]
        rule = [kind, pattern]
        if self.rng.random() < 0.4:
            rule += ["IN", self.rng.choice(PREFIXES)]
        rule += ["WITH", self.rng.choice(["MATERIALS", "PRODUCTS", "PRODUCTS"])]
        if self.rng.random() < 0.4:
            rule += ["IN", self.rng.choice(PREFIXES)]
        return rule + ["FROM", self.rng.choice(names + ["nowhere"])]

    def link(self, index, step):
        before = self.previous["products"] if index and self.rng.random() < 0.8 else self.artifacts()
        after = dict(before)
        for name in list(after):
            change = self.rng.random()
            if change < 0.2:
                del after[name]
            elif change < 0.4:
                after[name] = digest(self.rng.random())
        after.update(self.artifacts())
        self.previous = {
            "_type": "link", "name": step["name"], "command": [], "materials": dict(before), "products": after,
            "byproducts": {}, "environment": {},
        }
        return self.previous

    def artifacts(self):
        return {name: digest(self.rng.randint(0, 1)) for name in self.rng.sample(NAMES, self.rng.choice([0, 1, 2, 3, 5]))}

    # Writing

    def envelope(self, value, signers, dsse):
        if dsse:
            payload = json.dumps(value).encode()
            kind = b"application/vnd.in-toto+json"
            message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
            signatures = [
                {"keyid": label, "sig": base64.b64encode(key.sign(message)).decode()} for key, label in signers]
            return {"payload": base64.b64encode(payload).decode(), "payloadType": kind.decode(), "signatures": signatures}
        message = encode_canonical(value).encode()
        return {
            "signatures": [{"keyid": label, "sig": key.sign(message).hex()} for key, label in signers], "signed": value}

    def write(self, directory):
        containers = {"layout": self.envelope(self.layout, [(OWNER, OWNER.keyid)], self.layout_dsse)}
        for links in self.signed:
            for key, label, link in links:
                name = f"{getattr(link, 'step', link['name'])}.{label[:8]}.link"
                containers[name] = self.envelope(link, [(key, label)], self.links_dsse)
        for name, change in self.after:
            if name in containers:
                change(containers[name])
        for name, container in containers.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(container["raw"] if "raw" in container else json.dumps(container))
        for name, content in self.files.items():
            with open(os.path.join(directory, name), "wb") as file:
                file.write(content)


class StepLink(dict):
    """A link that is stored for another step than it names."""

    step = ""


# Mutations: each changes a chain and returns the words of the table that may explain a disagreement.

def other_name(chain):
    index = chain.rng.randrange(len(chain.signed))
    key, label, link = chain.signed[index][0]
    renamed = StepLink(link, name="another")
    renamed.step = link["name"]
    chain.signed[index][0] = (key, label, renamed)
    return "link-name"


def flip_signature(chain):
    name = chain.rng.choice(["layout", first_file(chain)])

    def flip(container):
        signature = container["signatures"][0]
        text = signature["sig"]
        signature["sig"] = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]

    chain.after.append((name, flip))


def first_file(chain, index=None):
    key, label, link = chain.signed[chain.rng.randrange(len(chain.signed)) if index is None else index][0]
    return f"{getattr(link, 'step', link['name'])}.{label[:8]}.link"


def other_signer(chain):
    index = chain.rng.randrange(len(chain.signed))
    _, label, link = chain.signed[index][0]
    chain.signed[index][0] = (chain.rng.choice([STRANGER, ALICE, BOB, CARL]), label, link)
    return "key-ids"


def expiry(chain):
    value = chain.rng.choice(GOOD_DATES + [
        "2020-01-01T00:00:00Z", "", None, "2099-02-31T00:00:00Z", "2100-02-29T00:00:00Z", "2099-01-01",
        "2099-01-01T00:00:00+00:00", "2099-01-01T24:00:00Z", "2099-13-01T00:00:00Z", "2099-01-01t00:00:00z"])
    if value is None:
        del chain.layout["expires"]
    else:
        chain.layout["expires"] = value
    return "required-members" if value not in GOOD_DATES else None


def threshold(chain):
    chain.rng.choice(chain.steps)["threshold"] = chain.rng.choice([0, -1, True, "1", 2, 3, None])
    return "thresholds"


def one_key_twice(chain):
    index = chain.rng.randrange(len(chain.steps))
    step = chain.steps[index]
    chain.layout["keys"]["ffffffff" + ALICE.keyid[8:]] = ALICE.object("ffffffff" + ALICE.keyid[8:])
    step["pubkeys"] = [ALICE.keyid, "ffffffff" + ALICE.keyid[8:]]
    step["threshold"] = 2
    chain.signed[index] = [(ALICE, label, chain.links[index]) for label in step["pubkeys"]]
    return "distinct-keys"


def met_threshold(chain):
    """Everybody whom a step lists has done it, and a stranger, too."""
    index = chain.rng.randrange(len(chain.steps))
    step = chain.steps[index]
    step["threshold"] = chain.rng.randint(1, len(step["pubkeys"]))
    chain.signed[index] = [(chain.key(keyid), keyid, chain.links[index]) for keyid in step["pubkeys"]]
    if chain.rng.random() < 0.5:
        chain.signed[index].append((STRANGER, STRANGER.keyid, chain.links[index]))


def unknown_member(chain):
    target = chain.rng.choice([chain.layout, chain.rng.choice(chain.steps), chain.rng.choice(chain.links)])
    target["extra"] = "x"
    return "unknown-members"


def missing_member(chain):
    target = chain.rng.choice([chain.layout, chain.rng.choice(chain.steps), chain.rng.choice(chain.links)])
    member = chain.rng.choice([member for member in target if member not in ("name", "_type")])
    if target in chain.links and member == "expires":
        return None
    del target[member]
    return "required-members"


def change_after_signing(chain):
    name = chain.rng.choice(["layout", first_file(chain)])
    kind = chain.rng.choice(["add", "drop", "edit"])

    def change(container):
        signed = container.get("signed")
        value = json.loads(base64.b64decode(container["payload"])) if signed is None else signed
        if kind == "add":
            value["extra"] = 1
        elif kind == "drop":
            value.pop("environment" if value["_type"] == "link" else "readme")
        else:
            value["readme" if value["_type"] == "layout" else "environment"] = "x" if value["_type"] == "layout" else {"x": 1}
        if signed is None:
            container["payload"] = base64.b64encode(json.dumps(value).encode()).decode()

    # The values are shared between containers.
    chain.after.append((name, lambda container: (container.update(json.loads(json.dumps(container))), change(container))))
    return "signed-as-read"


def other_scheme(chain):
    """A key of another scheme has done a step, or says that it has and signs by a third one."""
    index = chain.rng.randrange(len(chain.steps))
    listed = chain.rng.choice(SCHEMED)
    signer = chain.rng.choice([listed, listed, listed, chain.rng.choice(SCHEMED)])
    chain.layout["keys"][listed.keyid] = listed.object()
    chain.steps[index].update(pubkeys=[listed.keyid], threshold=1)
    chain.signed[index] = [(signer, listed.keyid, chain.links[index])]
    return "key-schemes" if listed.scheme.endswith("224") else None


def too_much(chain):
    """Most keys of a step and bytes of a rule's word that are taken, and one more."""
    step = chain.rng.choice(chain.steps)
    if chain.rng.random() < 0.5:
        count = chain.rng.choice([256, 257])
        step["pubkeys"] = step["pubkeys"] + [f"{number:064x}" for number in range(count - len(step["pubkeys"]))]
    else:
        step["expected_products"].insert(0, ["ALLOW", "x" * chain.rng.choice([4096, 4097])])
    return "limits"


def disagreement(chain):
    index = chain.rng.randrange(len(chain.steps))
    step, link = chain.steps[index], chain.links[index]
    step["pubkeys"] = [ALICE.keyid, BOB.keyid]
    step["threshold"] = chain.rng.choice([1, 2])
    other = json.loads(json.dumps(link))
    other[chain.rng.choice(["materials", "products"])]["more"] = digest(5)
    chain.signed[index] = [(ALICE, ALICE.keyid, link), (BOB, BOB.keyid, other)]
    return "agreement"


def odd_names(chain):
    link = chain.rng.choice(chain.links)
    side = link[chain.rng.choice(["materials", "products"])]
    name = chain.rng.choice(NAMES)
    odd = chain.rng.choice(["./" + name, "x/../" + name, "src//" + name, name + "/", "/" + name, "//" + name, "", "https://x//" + name])
    side[odd] = side.get(name, digest(0))
    if chain.rng.random() < 0.6:
        side.pop(name, None)
    return "names"


def odd_digests(chain):
    sides = [link[side] for link in chain.links for side in ("materials", "products") if link[side]]
    if not sides:
        return None
    side = chain.rng.choice(sides)
    name = chain.rng.choice(list(side))
    value = dict(side[name])
    kind = chain.rng.randrange(6)
    if kind == 0:
        value["sha512"] = hashlib.sha512(b"x").hexdigest()
    elif kind == 1:
        value["sha256"] = value.get("sha256", "").upper()
    elif kind == 2:
        value = {}
    elif kind == 3:
        value = {"md5": "d41d8cd98f00b204e9800998ecf8427e"}
    elif kind == 4:
        value = {"sha256": "abcd"}
    else:
        value = {"sha256": "not hexadecimal"}
    for other in sides if chain.rng.random() < 0.5 else [side]:
        if name in other:
            other[name] = value
    return "digests"


def odd_step_name(chain):
    index = chain.rng.randrange(len(chain.steps))
    name = chain.rng.choice(["a*b", "-x", ".x", "a?", "[a]", "x" * 201, "a\nb", "a b", "ü"])
    chain.steps[index]["name"] = name
    chain.links[index]["name"] = name
    return "step-names"


def bad_rule(chain):
    rules = chain.rng.choice(chain.steps)[chain.rng.choice(["expected_materials", "expected_products"])]
    rules.insert(0, chain.rng.choice([
        ["ALLOW"], [], ["FOO", "x"], ["MATCH", "*", "WITH", "PRODUCT", "FROM", "one"], ["ALLOW", "x", "y"],
        ["MATCH", "*", "FROM", "one", "WITH", "PRODUCTS"], ["ALLOW", 1], "ALLOW *", ["match", "*", "with", "products", "from", "one"],
    ]))


def other_rules(chain):
    """Rules that are not made to hold."""
    step = chain.rng.choice(chain.steps)
    chain.is_gentle = False
    step[chain.rng.choice(["expected_materials", "expected_products"])] = chain.rules([step["name"] for step in chain.steps])


def literally(name):
    """The pattern that matches this name only."""
    return re.sub(r"[][*?]", lambda match: "[[]" if match[0] == "[" else "[" + match[0] + "]" if match[0] != "]" else "]", name)


def derived_pattern(chain):
    """Whether a pattern made out of a name matches it decides: what it does not consume is forbidden."""
    index = chain.rng.randrange(len(chain.steps))
    kind = chain.rng.choice(["materials", "products"])
    name = chain.rng.choice(sorted(chain.links[index][kind]))
    pieces = []
    for character in name:
        following = chr(ord(character) + 1)
        pieces.append(chain.rng.choice([
            character, character, character, "?", "*", "**", "[%s]" % character, "[!%s]" % following, "[!%s]" % character,
            "[%s-%s]" % (character, following), "[%s-%s]" % (following, character), "[a-z]", "[!a-z]", "[]%s]" % character,
            "[%s" % character, "", "[-%s]" % character, "\\%s" % character]))
    chain.steps[index]["expected_" + kind] = [["ALLOW", "".join(pieces)], ["DISALLOW", literally(name)]]


def missing_link(chain):
    index = chain.rng.randrange(len(chain.signed))
    chain.signed[index] = chain.signed[index][1:]


def unreadable_evidence(chain):
    index = chain.rng.randrange(len(chain.steps))
    step = chain.steps[index]
    for keyid in step["pubkeys"][step["threshold"] if isinstance(step["threshold"], int) else 0:]:
        chain.files[f"{step['name'].replace('/', '')[:100]}.{keyid[:8]}.link"] = chain.rng.choice(
            [b"", b"{", b"{}", b"[]", b'{"signed": {"_type": "other"}, "signatures": []}', b"\xff"])
    return "unreadable-evidence"


def other_key_id(chain):
    index = chain.rng.randrange(len(chain.signed))
    if not chain.signed[index]:
        return None
    key, label, link = chain.signed[index][0]
    chain.signed[index][0] = (key, key.legacy_keyid if label == key.keyid else key.keyid, link)
    return "key-ids"


def relabelled_key(chain):
    chain.layout["keys"][ALICE.keyid] = ALICE.object(BOB.keyid)
    return "key-labels"


def repeated_member(chain):
    def repeat(container):
        container["raw"] = json.dumps(container)[:-1] + ', "signatures": ' + json.dumps(container["signatures"]) + "}"

    chain.after.append((chain.rng.choice(["layout", first_file(chain)]), repeat))
    return "duplicate-members"


def private_key(chain):
    chain.layout["keys"][BOB.keyid]["keyval"]["private"] = chain.rng.choice(["00" * 32, "", "x"])
    return "private-keys"


def no_steps(chain):
    chain.layout["steps"] = []
    return "empty-layouts"


def bad_signature_first(chain):
    def prepend(container):
        good = container["signatures"][0]
        bad = dict(good, sig=good["sig"][:10] + ("00000000" if good["sig"][10:18] != "00000000" else "11111111") + good["sig"][18:])
        container["signatures"].insert(0, bad)

    chain.after.append((chain.rng.choice(["layout", first_file(chain)]), prepend))
    return "any-signature"


def payload_type(chain):
    def change(container):
        if "payloadType" in container:
            container["payloadType"] = chain.rng.choice(["application/vnd.in-toto.link+json", "text/plain", ""])

    chain.after.append((chain.rng.choice(["layout", first_file(chain)]), change))
    return "payload-types"


def edited_digest(chain):
    link = chain.rng.choice(chain.links)
    for side in ("materials", "products"):
        for name in link[side]:
            if chain.rng.random() < 0.3:
                link[side][name] = digest("edited")


MUTATIONS = [
    other_name, flip_signature, other_signer, expiry, threshold, one_key_twice, unknown_member, missing_member,
    change_after_signing, disagreement, odd_names, odd_names, odd_digests, odd_digests, odd_step_name, bad_rule,
    missing_link, unreadable_evidence, other_key_id, relabelled_key, repeated_member, private_key, no_steps,
    bad_signature_first, payload_type, edited_digest, other_rules, other_rules, derived_pattern, derived_pattern,
    met_threshold, other_scheme, other_scheme, too_much,
]

# What a mutation is about. Of each kind some chains have to be accepted and some refused.
KINDS = {
    "rules": {bad_rule, other_rules}, "patterns": {derived_pattern},
    "names": {odd_names, odd_step_name, other_name}, "digests": {odd_digests, edited_digest, disagreement},
    "thresholds": {threshold, one_key_twice, missing_link, met_threshold},
    "signatures": {flip_signature, other_signer, bad_signature_first, change_after_signing, other_key_id},
    "schemes": {other_scheme}, "dates": {expiry}, "limits": {too_much},
    "documents": {
        unknown_member, missing_member, repeated_member, payload_type, private_key, relabelled_key, unreadable_evidence,
        no_steps},
}


def make(seed, number, directory):
    rng = random.Random(f"{seed}:{number}")
    chain = Chain(rng)
    mutations = rng.sample(MUTATIONS, rng.choice([0, 0, 1, 1, 1, 1, 2]))
    chain.mutations, chain.kinds = [], set()
    for mutation in mutations:
        try:
            chain.tags |= {mutation(chain)} - {None}
        except (IndexError, KeyError, ValueError, StopIteration):  # another mutation has taken away what this one would change
            continue
        chain.mutations.append(mutation.__name__)
        chain.kinds |= {kind for kind, members in KINDS.items() if mutation in members}
    chain.write(directory)
    return chain


def python_verdict(directory):
    try:
        in_toto_verify(Metadata.load(os.path.join(directory, "layout")), {OWNER.keyid: OWNER.object()}, directory)
        return None
    except Exception as error:  # whatever it is, the tool ends with it
        return f"{type(error).__name__}: {error}"


def our_verdict(directory):
    result = subprocess.run(
        [os.environ["INTOTO_RUN"], "verify", "-l", "layout", "--verification-keys", "../owner.pub"],
        cwd=directory, capture_output=True, text=True, errors="replace")
    if result.returncode not in (0, 1):
        raise SystemExit(f"{directory}: ours ended with {result.returncode}: {result.stdout}{result.stderr}")
    return None if result.returncode == 0 else result.stdout + result.stderr


def explanation(tags, ours, theirs):
    """The words of the table that explain this disagreement."""
    found = []
    for tag in tags:
        side, pattern = TABLE[tag]
        if ours is not None and side in ("ours", "both") and re.search(pattern, ours):
            found.append(tag)
        if theirs is not None and side in ("theirs", "both"):
            found.append(tag)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep")
    options = parser.parse_args()
    tally = collections.Counter()
    explained = collections.Counter()
    kinds = {kind: collections.Counter() for kind in ["none"] + list(KINDS)}
    unexplained = []
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(2) as pool:
        with open(os.path.join(work, "owner.pub"), "wb") as file:
            file.write(OWNER.private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        for start in range(options.first, options.first + options.count, 64):
            batch = []
            for number in range(start, min(start + 64, options.first + options.count)):
                directory = os.path.join(work, str(number))
                os.mkdir(directory)
                try:
                    chain = make(options.seed, number, directory)
                except (OSError, ValueError, TypeError, AttributeError, KeyError):
                    # A name that no file can have, a value that nobody can sign, nothing left to change after signing.
                    tally["not made"] += 1
                    shutil.rmtree(directory)
                    continue
                batch.append((number, chain, directory, pool.submit(our_verdict, directory)))
            for number, chain, directory, future in batch:
                theirs, ours = python_verdict(directory), future.result()
                for kind in chain.kinds or {"none"}:
                    kinds[kind]["accepted" if ours is None else "refused"] += 1
                    kinds[kind]["otherwise"] += (ours is None) != (theirs is None)
                if (ours is None) == (theirs is None):
                    tally["both accept" if ours is None else "both refuse"] += 1
                else:
                    side = "only ours refuses" if theirs is None else "only Python refuses"
                    tally[side] += 1
                    lines = explanation(chain.tags, ours, theirs)
                    for line in lines[:1]:
                        explained[f"{line} ({side})"] += 1
                    if not lines:
                        unexplained.append((number, chain.mutations, side, ours or theirs))
                        if options.keep:
                            shutil.copytree(directory, os.path.join(options.keep, str(number)))
                shutil.rmtree(directory)
    print(f"verify-differential: {options.count} chains, seed {options.seed}, from {options.first}")
    for name, count in sorted(tally.items()):
        print(f"  {name}: {count}")
    for name, count in sorted(explained.items()):
        print(f"    {name}: {count}")
    print("  by what was mutated:")
    for kind, counts in kinds.items():
        print(f"    {kind}: {counts['accepted']} accepted, {counts['refused']} refused, {counts['otherwise']} of them otherwise than Python")
    for number, mutations, side, reason in unexplained[:20]:
        print(f"UNEXPLAINED {number} {mutations} {side}: {reason}")
    if unexplained:
        sys.exit(f"{len(unexplained)} disagreements are explained by nothing")
    print("  every disagreement is explained by the table")
    if options.count >= 1000:
        lame = [kind for kind, counts in kinds.items() if not counts["accepted"] or not counts["refused"]]
        if lame:
            sys.exit(f"these mutations show nothing, as all their chains have one verdict: {lame}")


main()
