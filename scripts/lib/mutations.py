"""What is changed about a chain: each of these returns the word of the table of strictness, or the words, that may explain
why the two verifiers disagree about it."""

import base64
import hashlib
import json
import re

from chains import GOOD_DATES, NAMES, StepLink, digest, link_file, stored_for


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
        for signature in container["signatures"]:
            text = signature["sig"]
            # Another digit, hexadecimal or of Base64.
            signature["sig"] = text[:20] + ("0" if text[20] != "0" else "1") + text[21:]

    chain.after.append((name, flip))
    chain.broken.add(name)


def first_file(chain):
    _, label, link = chain.signed[chain.rng.randrange(len(chain.signed))][0]
    return link_file(label, link)


def other_signer(chain):
    index = chain.rng.randrange(len(chain.signed))
    _, label, link = chain.signed[index][0]
    signer = chain.rng.choice([chain.ring.stranger] + chain.ring.functionaries)
    chain.signed[index][0] = (signer, label, link)
    # Whoever may do the step has done it; only the key id is another's.
    return "key-ids" if signer.keyid in chain.steps[index]["pubkeys"] else None


def unlisted_signer(chain):
    """A functionary of the layout has done a step of others, under their key id or under its own."""
    index = chain.rng.randrange(len(chain.steps))
    wanted, other = chain.rng.sample(chain.ring.functionaries, 2)
    chain.steps[index].update(pubkeys=[wanted.keyid], threshold=1)
    chain.signed[index] = [(other, chain.rng.choice([wanted, other]).keyid, chain.links[index])]


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
    alice = chain.ring.alice
    other = "ffffffff" + alice.keyid[8:]
    chain.layout["keys"][other] = alice.object(other)
    step.update(pubkeys=[alice.keyid, other], threshold=2)
    chain.signed[index] = [(alice, label, chain.links[index]) for label in step["pubkeys"]]
    return "distinct-keys"


def met_threshold(chain):
    """Everybody whom a step lists has done it, and a stranger, too."""
    index = chain.rng.randrange(len(chain.steps))
    step = chain.steps[index]
    step["threshold"] = chain.rng.randint(1, len(step["pubkeys"]))
    chain.signed[index] = [(chain.ring.key(keyid), keyid, chain.links[index]) for keyid in step["pubkeys"]]
    if chain.rng.random() < 0.5:
        stranger = chain.ring.stranger
        chain.signed[index].append((stranger, stranger.keyid, chain.links[index]))


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
            value.update({"readme": "x"} if value["_type"] == "layout" else {"environment": {"x": 1}})
        if signed is None:
            container["payload"] = base64.b64encode(json.dumps(value).encode()).decode()

    chain.broken.add(name)
    # The values are shared between containers.
    chain.after.append((name, lambda container: (container.update(json.loads(json.dumps(container))), change(container))))
    return "signed-as-read"


def other_scheme(chain):
    """A key of another scheme has done a step, or says that it has and signs by a third one."""
    index = chain.rng.randrange(len(chain.steps))
    listed = chain.rng.choice(chain.ring.schemed)
    signer = chain.rng.choice([listed, listed, listed, chain.rng.choice(chain.ring.schemed)])
    chain.layout["keys"][listed.keyid] = listed.object()
    chain.steps[index].update(pubkeys=[listed.keyid], threshold=1)
    chain.signed[index] = [(signer, listed.keyid, chain.links[index])]
    # One RSA key under two schemes is one key, with the first of them.
    others = [key for key in chain.ring.schemed if key.public == listed.public and key.keyid in chain.layout["keys"]]
    return "key-schemes" if listed.scheme.endswith("224") or len(others) > 1 else None


def too_much(chain):
    """Most keys and link files of a step and bytes of a rule's word that are taken, and one more."""
    step = chain.rng.choice(chain.steps)
    kind = chain.rng.randrange(3)
    if kind == 0:
        names = {link_file(label, link) for _, label, link in chain.pieces() if stored_for(link) == step["name"]}
        for number in range(chain.rng.choice([1000, 1001]) - len(names)):
            chain.files[f"{step['name']}.{number:08x}.link"] = b"{"
    elif kind == 1:
        count = chain.rng.choice([256, 257])
        step["pubkeys"] = step["pubkeys"] + [f"{number:064x}" for number in range(count - len(step["pubkeys"]))]
    else:
        step["expected_products"].insert(0, ["ALLOW", "x" * chain.rng.choice([4096, 4097])])
    return "limits"


def disagreement(chain):
    index = chain.rng.randrange(len(chain.steps))
    step, link = chain.steps[index], chain.links[index]
    alice, bob = chain.ring.alice, chain.ring.bob
    step.update(pubkeys=[alice.keyid, bob.keyid], threshold=chain.rng.choice([1, 2]))
    other = json.loads(json.dumps(link))
    other[chain.rng.choice(["materials", "products"])]["more"] = digest(5)
    chain.signed[index] = [(alice, alice.keyid, link), (bob, bob.keyid, other)]
    return "agreement"


def orders(chain):
    """Three have done one step, and say what they made in digests of one algorithm, the other, or both: every two of them
    have to have one in common, and no other, whoever of them comes first."""
    index = chain.rng.randrange(len(chain.steps))
    step, link = chain.steps[index], chain.links[index]
    keys = chain.rng.sample(chain.ring.functionaries, 3)
    step.update(
        pubkeys=[key.keyid for key in keys], threshold=chain.rng.choice([1, 2, 3]), expected_products=[["ALLOW", "*"]])
    chain.signed[index] = []
    content = {"sha256": digest("made")["sha256"], "sha512": hashlib.sha512(b"made").hexdigest()}
    known = chain.rng.choice([["sha256", "sha512", "both"], ["sha256", "sha256", "both"], ["sha512", "both", "both"]])
    for key, algorithm in zip(keys, chain.rng.sample(known, 3)):
        said = dict(content) if algorithm == "both" else {algorithm: content[algorithm]}
        if "sha512" in said and chain.rng.random() < 0.1:
            said["sha512"] = hashlib.sha512(b"other").hexdigest()
        products = dict(link["products"], **{"dist/x": said})
        chain.signed[index].append((key, key.keyid, dict(link, products=products)))
    return "agreement", "digests"


def odd_names(chain):
    link = chain.rng.choice(chain.links)
    side = link[chain.rng.choice(["materials", "products"])]
    is_second = side and chain.rng.random() < 0.3  # one artifact under two names
    name = chain.rng.choice(list(side) if is_second else NAMES)
    odd = chain.rng.choice([
        "./" + name, "x/../" + name, "src//" + name, name + "/", "/" + name, "//" + name, "", "https://x//" + name])
    side[odd] = side.get(name, digest(0))
    if not is_second and chain.rng.random() < 0.6:
        side.pop(name, None)
    return "names"


def odd_digests(chain):
    sides = [link[side] for link in chain.links for side in ("materials", "products") if link[side]]
    if not sides:
        return None
    side = chain.rng.choice(sides)
    name = chain.rng.choice(list(side))
    value = dict(side[name])
    kind = chain.rng.choice([0, 1, 2, 2, 2, 3, 4, 5])
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
        ["MATCH", "*", "FROM", "one", "WITH", "PRODUCTS"], ["ALLOW", 1], "ALLOW *",
        ["match", "*", "with", "products", "from", "one"],
    ]))


def other_rules(chain):
    """Rules that are not made to hold."""
    step = chain.rng.choice(chain.steps)
    chain.is_gentle = False
    step[chain.rng.choice(["expected_materials", "expected_products"])] = chain.rules([step["name"] for step in chain.steps])


def literally(name):
    """The pattern that matches this name only."""
    return re.sub(r"[\[*?]", lambda match: f"[{match[0]}]", name)


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
    chain.layout["keys"][chain.ring.alice.keyid] = chain.ring.alice.object(chain.ring.bob.keyid)
    return "key-labels"


def repeated_member(chain):
    def repeat(container):
        container["raw"] = json.dumps(container)[:-1] + ', "signatures": ' + json.dumps(container["signatures"]) + "}"

    name = chain.rng.choice(["layout", first_file(chain)])
    chain.after.append((name, repeat))
    chain.broken.add(name)
    return "duplicate-members"


def private_key(chain):
    chain.layout["keys"][chain.ring.bob.keyid]["keyval"]["private"] = chain.rng.choice(["00" * 32, "", "x"])
    return "private-keys"


def no_steps(chain):
    chain.layout["steps"] = []
    return "empty-layouts"


def bad_signature_first(chain):
    def prepend(container):
        good = container["signatures"][0]
        digits = "00000000" if good["sig"][10:18] != "00000000" else "11111111"
        bad = dict(good, sig=good["sig"][:10] + digits + good["sig"][18:])
        container["signatures"].insert(0, bad)

    chain.after.append((chain.rng.choice(["layout", first_file(chain)]), prepend))
    return "any-signature"


def payload_type(chain):
    """Another type, signed or not, and perhaps a good link beside it."""
    def change(container):
        if "payloadType" in container:
            container["payloadType"] = kind

    index = chain.rng.randrange(len(chain.steps))
    if chain.rng.random() < 0.5:
        keys = chain.rng.sample(chain.ring.functionaries, 2)
        chain.steps[index].update(pubkeys=[key.keyid for key in keys], threshold=1)
        chain.signed[index] = [(key, key.keyid, chain.links[index]) for key in keys]
    _, label, link = chain.signed[index][0]
    name = chain.rng.choice(["layout", link_file(label, link)])
    kind = chain.rng.choice(["application/vnd.in-toto.link+json", "text/plain", ""])
    if chain.rng.random() < 0.5:
        chain.types[name] = kind.encode()
    else:
        chain.after.append((name, change))
    if chain.layout_dsse if name == "layout" else chain.links_dsse:
        chain.broken.add(name)
    return "payload-types"


def edited_digest(chain):
    link = chain.rng.choice(chain.links)
    for side in ("materials", "products"):
        for name in link[side]:
            if chain.rng.random() < 0.3:
                link[side][name] = digest("edited")


MUTATIONS = [
    other_name, flip_signature, other_signer, unlisted_signer, expiry, threshold, one_key_twice, unknown_member,
    missing_member, change_after_signing, disagreement, odd_names, odd_names, odd_digests, odd_digests, odd_step_name,
    bad_rule, missing_link, unreadable_evidence, other_key_id, relabelled_key, repeated_member, private_key, no_steps,
    bad_signature_first, payload_type, edited_digest, other_rules, other_rules, derived_pattern, derived_pattern,
    met_threshold, other_scheme, other_scheme, too_much, orders, orders,
]

# What a mutation is about. Of each kind some chains have to be accepted and some refused.
KINDS = {
    "rules": {bad_rule, other_rules}, "patterns": {derived_pattern},
    "names": {odd_names, odd_step_name, other_name}, "digests": {odd_digests, edited_digest},
    "agreement": {disagreement, orders},
    "thresholds": {threshold, one_key_twice, missing_link, met_threshold},
    "signatures": {
        flip_signature, other_signer, unlisted_signer, bad_signature_first, change_after_signing, other_key_id},
    "schemes": {other_scheme}, "dates": {expiry}, "limits": {too_much},
    "documents": {
        unknown_member, missing_member, repeated_member, payload_type, private_key, relabelled_key, unreadable_evidence,
        no_steps},
}
