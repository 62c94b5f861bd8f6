"""Defects of a verifier, planted into the verdicts of ours: a campaign that does not notice each of them shows nothing."""

import re

from expected import objection

# Refusals that are lost: what their only problem says.
LOST = {
    "the layout's signature is not checked": r"the layout is not signed|is bad: altered",
    "expiry is not looked at": r"expired|is no time",
    "a threshold of nobody is met": r"'threshold' of step|needs links from",
    "one key with two ids is two people": r"distinct usable key",
    "a link passes for another step": r"the link is of step",
    "links may disagree": r"disagree",
    "digests of no common algorithm are equal": r"no strong digest in common",
    "other digests are equal": r"different digests|same path, other digest",
    "two names of one artifact are two": r"are one artifact",
    "no name is a name": r"is no name",
    "no digest is a digest": r"has no digest",
    "DISALLOW forbids nothing": r"forbids",
    "REQUIRE requires nothing": r"is not met",
    "members that nobody knows are passed over": r"unknown member",
    "missing members have a default": r"has no member",
    "the last of two members counts": r"stands twice",
    "a layout without steps accepts": r"neither steps nor inspections",
    "keys stand under any label": r"not the label of the key",
    "private keys are passed over": r"PRIVATE KEY",
    "step names may be anything": r"step name",
    "any payload type will do": r"unknown kind of metadata",
    "nothing is too much": r"has more than",
}


def loses(pattern):
    def defect(chain, refusal):
        if refusal is None:
            return None
        # One problem; indented further is what belongs to it.
        problems = len(re.findall(r"^  \S", refusal, re.M))
        return None if problems <= 1 and re.search(pattern, refusal) else refusal

    return defect


def any_functionary(chain, refusal):
    return None if objection(chain, any_functionary=True) is None else refusal


def too_strict(word):
    """What the table excuses on the other side, refused here."""
    return lambda chain, refusal: "rule 1 forbids 1 artifact" if refusal is None and word in chain.tags else refusal


DEFECTS = {
    "everything is accepted": lambda chain, refusal: None,
    "everything is refused": lambda chain, refusal: refusal or "rule 1 forbids 1 artifact",
    "every functionary may do every step": any_functionary,
    "names that are written oddly are refused": too_strict("names"),
    "digests that are written oddly are refused": too_strict("digests"),
} | {name: loses(pattern) for name, pattern in LOST.items()}
