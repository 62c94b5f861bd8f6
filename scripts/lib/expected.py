"""What a careful verifier has to say of a chain, worked out from what the generator knows: who signed what, what was
changed afterwards, and the documented meaning of names, digests and rules. Neither verifier is asked."""

import fnmatch
import itertools
import re

from chains import GOOD_DATES, USUAL_DATE, link_file, stored_for
from in_toto.rulelib import unpack_rule

LAYOUT = {"_type", "expires", "readme", "inspect", "keys", "steps"}
STEP = {"_type", "name", "threshold", "pubkeys", "expected_command", "expected_materials", "expected_products"}
LINK = {"_type", "name", "command", "materials", "products", "byproducts", "environment"}
SIDES = ("materials", "products")
STRONG_LENGTHS = {"sha256": 64, "sha512": 128}


class Objection(Exception):
    """Why a chain has to be refused."""


def objection(chain, python=(), any_functionary=False):
    """Why this chain has to be refused; nothing where it has to be accepted.

    `python`: of which lines of the table (names, digests) the other side's meaning is taken.
    `any_functionary`: as a verifier would have it that lets every functionary of the layout do every step.
    """
    try:
        judge(chain, Meaning(python), any_functionary)
        return None
    except Objection as refusal:
        return str(refusal)


def demand(condition, reason):
    if not condition:
        raise Objection(reason)


class Meaning:
    """Of names and digests."""

    def __init__(self, python):
        self.names_as_written = "names" in python
        self.digests_as_text = "digests" in python

    def name(self, written):
        return written if self.names_as_written else normalized(written)

    def artifacts(self, written):
        """Digests and spellings by the names that rules match."""
        found = {}
        for name, digests in written.items():
            if not self.names_as_written:
                demand(name and "\0" not in name, f"'{name}' is no name")
                demand(self.name(name) not in found, f"'{name}' is there twice")
            demand(digests or self.digests_as_text, f"'{name}' has no digest")
            found[self.name(name)] = (digests, {name})
        return found

    def are_same(self, a, b):
        if self.digests_as_text:
            return a == b
        return not differ(a, b) and any(is_strong(kind, a[kind]) for kind in a.keys() & b.keys())

    def are_different(self, a, b):
        return a != b if self.digests_as_text else differ(a, b)


def differ(a, b):
    return any(a[kind].lower() != b[kind].lower() for kind in a.keys() & b.keys())


def is_strong(kind, value):
    return len(value) == STRONG_LENGTHS.get(kind) and re.fullmatch("[0-9a-fA-F]*", value) is not None


def normalized(name):
    scheme, is_uri, rest = name.partition("://")
    if is_uri and re.fullmatch("[a-zA-Z][a-zA-Z0-9+.-]*", scheme):
        authority, *parts = rest.split("/")
        if parts and not parts[-1]:
            parts.pop()
        if authority not in (".", "..") and not {"", ".", ".."} & set(parts):
            return name
    kept = []
    for part in name.split("/"):
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif part == ".." and name.startswith("/"):
            pass
        elif part not in ("", "."):
            kept.append(part)
    return ("/" if name.startswith("/") else "") + "/".join(kept) or "."


# The layout

def judge(chain, meaning, any_functionary):
    layout = chain.layout
    demand("layout" not in chain.broken, "the owner has not signed this layout")
    demand(set(layout) == LAYOUT, "members of the layout")
    demand(layout["expires"] in GOOD_DATES + [USUAL_DATE], "expires")
    demand(layout["steps"], "no steps")
    for label, key in layout["keys"].items():
        demand(key["keyid"] == label, "a key under another's id")
        # An empty one is how older tools write that there is none.
        demand(not key["keyval"].get("private"), "a private key")
    for step in layout["steps"]:
        judge_step(step)
    records = {step["name"]: record(chain, step, meaning, any_functionary) for step in layout["steps"]}
    for step in layout["steps"]:
        for side in SIDES:
            apply_rules(step["expected_" + side], records[step["name"]], side, records, meaning)


def judge_step(step):
    demand(set(step) == STEP, "members of a step")
    demand(re.fullmatch(r"[^/*?\[\]\n.-][^/*?\[\]\n]*", step["name"]) and len(step["name"].encode()) <= 200, "a step's name")
    demand(len(step["pubkeys"]) <= 256, "too many functionaries")
    demand(type(step["threshold"]) is int and 1 <= step["threshold"] <= len(step["pubkeys"]), "threshold")
    for rule in step["expected_materials"] + step["expected_products"]:
        try:
            unpack_rule(rule)
        except Exception as error:  # whatever it is, this is no rule
            raise Objection(f"{rule} is no rule") from error
        demand(all(len(word.encode()) <= 4096 for word in rule), "a word of a rule is too long")


# Evidence

def record(chain, step, meaning, any_functionary):
    """What the good links of a step say together."""
    keys = chain.layout["keys"]
    listed = [keys[label] for label in keys if any_functionary or label in step["pubkeys"]]
    files = {link_file(label, link): (signer, link) for signer, label, link in chain.pieces()}
    stored = {name for name, (_, link) in files.items() if stored_for(link) == step["name"]}
    stored |= {name for name in chain.files if name.startswith(step["name"] + ".")}
    demand(len(stored) <= 1000, "too many link files")
    people, links = set(), []
    for name, (signer, link) in files.items():
        if name not in stored or name in chain.broken or name in chain.files:
            continue
        if not any(may_sign(key, signer) for key in listed) or set(link) != LINK or link["name"] != step["name"]:
            continue
        try:
            links.append({side: meaning.artifacts(link[side]) for side in SIDES})
        except Objection:  # such a link does not count
            continue
        people.add(signer.public)
    demand(len(people) >= step["threshold"], f"too few have done {step['name']}")
    for a, b in itertools.combinations(links, 2):
        for side in SIDES:
            demand(a[side].keys() == b[side].keys(), "links with other artifacts")
            for name, (digests, _) in a[side].items():
                demand(meaning.are_same(digests, b[side][name][0]), f"links that disagree about '{name}'")
    return {side: merged([link[side] for link in links]) for side in SIDES}


def may_sign(key, signer):
    """RSA with SHA-224 is no scheme of ours."""
    return key["keyval"]["public"] == signer.public and key["scheme"] == signer.scheme and not key["scheme"].endswith("224")


def merged(all_artifacts):
    """With the digests and the spellings of all; they have the same names."""
    return {
        name: (
            {kind: value for artifacts in all_artifacts for kind, value in artifacts[name][0].items()},
            set().union(*(artifacts[name][1] for artifacts in all_artifacts)))
        for name in all_artifacts[0]}


# Rules. Spec: in-toto v1.0, 4.3.3

def apply_rules(rules, own, side, records, meaning):
    queue = set(own[side])
    for words in rules:
        rule = unpack_rule(words)
        kind, pattern = rule["rule_type"], rule["pattern"]
        fitting = {name for name in queue if fnmatch.fnmatchcase(name, pattern)}
        if kind == "require":
            demand(pattern in queue, f"{words} is not met")
        elif kind == "disallow":
            odd = {name for name in queue if fnmatch.filter(own[side][name][1], pattern)}
            demand(not fitting | odd, f"{words} forbids {sorted(fitting | odd)}")
        elif kind == "match":
            queue -= {name for name in queue if is_matched(name, rule, own[side], records, meaning)}
        else:
            queue -= {name for name in fitting if changed(kind, name, own, meaning)}


def changed(kind, name, own, meaning):
    before, after = (own[side].get(name) for side in SIDES)
    if kind == "modify":
        return before is not None and after is not None and meaning.are_different(before[0], after[0])
    return {"allow": True, "create": before is None, "delete": after is None}[kind]


def is_matched(name, rule, own, records, meaning):
    source, destination = (
        prefix.rstrip("/") + "/" if prefix else "" for prefix in (rule["source_prefix"], rule["dest_prefix"]))
    rest = name[len(source):]
    if not name.startswith(source) or not fnmatch.fnmatchcase(rest, rule["pattern"]) or rule["dest_name"] not in records:
        return False
    other = records[rule["dest_name"]][rule["dest_type"]].get(destination + rest)
    return other is not None and meaning.are_same(own[name][0], other[0])
