"""Supply chains with random rules, names, digests and thresholds: see scripts/verify-differential."""

import base64
import hashlib
import json
import os

from securesystemslib.formats import encode_canonical

NAMES = ["a", "b", "c.txt", "src/a", "src/b", "src/sub/c", "dist/x", "é", "e\u0301", "a b", "[x]", "*", "A", "x\n"]
PATTERNS = [
    "*", "*", "*", "src/*", "dist/*", "?", "a*", "*a", "[ab]", "[!a]*", "[a-c]*", "src/[a-c]", "*/c", "src", "",
    "[", "[]", "[x]", "[[]x]", "\\*", "c.???", "*.*", "src/**", "é", "[é]", "[b-a]", "[!]a]", "a", "b", "src/a",
]
PREFIXES = ["src", "src/", "dist", "", "sr", "src/sub"]
USUAL_DATE = "2099-01-01T00:00:00Z"
# Those that a mutation writes; beside them, that of every layout.
GOOD_DATES = ["2096-02-29T12:00:00Z", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2050-04-30T00:00:00Z"]


def digest(value):
    return {"sha256": hashlib.sha256(str(value).encode()).hexdigest()}


class Chain:
    """A layout and its links as plain values, changed before they are signed or after."""

    def __init__(self, rng, ring):
        self.rng, self.ring = rng, ring
        self.tags, self.mutations, self.kinds = [], [], set()
        self.is_gentle = rng.random() < 0.6  # few rules that could fail
        self.layout_dsse = rng.random() < 0.6
        self.links_dsse = rng.random() < 0.5
        self.files = {}  # extra or replaced files, by name, as bytes
        self.types = {}  # of payloads of envelopes, by file name, where it is another
        self.after = []  # changes of container objects: (file name or "layout", function)
        self.broken = set()  # names of containers that no careful reader believes any more
        names = rng.sample(["one", "two", "three", "four"], rng.randint(1, 4))
        self.steps = [self.step(name, names) for name in names]
        self.links = [self.link(index, step) for index, step in enumerate(self.steps)]
        self.layout = {
            "_type": "layout", "expires": USUAL_DATE, "readme": "", "inspect": [],
            "keys": {key.keyid: key.object() for key in ring.functionaries}, "steps": self.steps,
        }
        # Who signs which step's link: a list of (signer, label, link).
        self.signed = [
            [(ring.key(keyid), keyid, link) for keyid in step["pubkeys"][: step["threshold"]]]
            for step, link in zip(self.steps, self.links)
        ]

    def step(self, name, names):
        keys = [key.keyid for key in self.rng.sample(self.ring.functionaries, self.rng.randint(1, 3))]
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

    def pieces(self):
        return [piece for links in self.signed for piece in links]

    # Writing

    @staticmethod
    def envelope(value, signers, dsse, kind=b"application/vnd.in-toto+json"):
        if dsse:
            payload = json.dumps(value).encode()
            message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
            signatures = [
                {"keyid": label, "sig": base64.b64encode(key.sign(message)).decode()} for key, label in signers]
            return {"payload": base64.b64encode(payload).decode(), "payloadType": kind.decode(), "signatures": signatures}
        message = encode_canonical(value).encode()
        return {
            "signatures": [{"keyid": label, "sig": key.sign(message).hex()} for key, label in signers], "signed": value}

    def write(self, directory):
        values = [("layout", self.layout, [(self.ring.owner, self.ring.owner.keyid)], self.layout_dsse)] + [
            (link_file(label, link), link, [(key, label)], self.links_dsse) for key, label, link in self.pieces()]
        containers = {
            name: self.envelope(value, signers, dsse, *([self.types[name]] if name in self.types else []))
            for name, value, signers, dsse in values}
        for name, change in self.after:
            if name in containers:
                change(containers[name])
        for name, container in containers.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(container["raw"] if "raw" in container else json.dumps(container))
        for name, content in self.files.items():
            with open(os.path.join(directory, name), "wb") as file:
                file.write(content)


def stored_for(link):
    """The step in whose file the link stands."""
    return getattr(link, "step", link["name"])


def link_file(label, link):
    return f"{stored_for(link)}.{label[:8]}.link"


class StepLink(dict):
    """A link that is stored for another step than it names."""

    step = ""
