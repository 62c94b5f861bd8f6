"""The table of strictness (Documentation.docc/Verification.md), by the words that stand there, and how chains reach it."""

import re

from expected import objection

# What may be said by ours where it alone refuses, and by Python where it alone does; nothing where that never is so.
TABLE = {
    "link-name": (r"the link is of step", None),
    "distinct-keys": (r"distinct usable key", None),
    "required-members": (r"has no member|is no time", None),
    "thresholds": (r"'threshold' of step", None),
    "unknown-members": (r"unknown member", None),
    "signed-as-read": (r"is bad: altered content|has no member|unknown member", None),
    "agreement": (r"disagree", None),
    "names": (r"are one artifact|is no name", r"RuleVerificationError|have different artifacts|KeyError: '/"),
    "digests": (r"has no digest", r"expected hex string|RuleVerificationError|have different artifacts"),
    "step-names": (r"step name", None),
    "duplicate-members": (r"stands twice", None),
    "private-keys": (r"PRIVATE KEY", None),
    "key-labels": (r"not the label of the key", None),
    "empty-layouts": (r"neither steps nor inspections", None),
    "payload-types": (None, r"InvalidMetadata"),
    "unreadable-evidence": (None, r"InvalidMetadata|FormatError: Invalid Metadata|JSONDecodeError|UnicodeDecodeError"),
    "any-signature": (
        None, r"Multiple signatures found|SignatureVerificationError: Invalid signature|Only found '\d+'"),
    "key-ids": (None, r"LinkNotFoundError|Only found '\d+'"),
    "key-schemes": (r"distinct usable keys|needs links from", None),
    "limits": (r"has more than", None),
}

# Lines that no generated chain reaches, and the tests that hold them.
NOT_REACHED = {
    "parameters": "Tests/InTotoVerificationTests/RuleVectorTests.swift",
    "weak-keys": "Tests/CommandTests/VerifyRefusalTests.swift",
    "openpgp": "Tests/CommandTests/VerifyRefusalTests.swift",
    "bundles": "Tests/InTotoVerificationTests/EvidenceTests.swift",
    "certificates": "Tests/InTotoVerificationTests/CertifiedEvidenceTests.swift",
    "not-recorded": "Tests/CommandTests/VerifyInspectionTests.swift",
    "inspections": "Tests/CommandTests/VerifyInspectionTests.swift",
    "sublayout-inspections": "Tests/InTotoVerificationTests/SublayoutTests.swift",
    "commands": "Tests/InTotoVerificationTests/VerifierTests.swift",
    "clock": "Tests/InTotoVerificationTests/VerifierTests.swift",
}
# What ours says where artifacts decide.
ARTIFACTS = re.compile(r"forbids|is not met|disagree")


def explanation(chain, ours, theirs):
    """The lines of the table that explain why one verifier refuses this chain, and the other does not."""
    found = []
    for tag in dict.fromkeys(chain.tags):
        pattern, reason = TABLE[tag][ours is None], theirs if ours is None else ours
        if pattern and re.search(pattern, reason):
            found.append(tag)
    meanings = [tag for tag in ("names", "digests") if tag in chain.tags]
    # Rules that fail for another reason than what names and digests mean here fail there, too.
    if ours is not None and ARTIFACTS.search(ours) and objection(chain, python=meanings) is None:
        found += meanings
    return found


def complaint(chain, ours, theirs):
    """What is wrong with these two verdicts (nothing is an acceptance); nothing where nothing is, with the lines of the
    table that explain why they differ."""
    wanted = objection(chain)
    if ours is None and wanted is not None:
        return f"ours accepts, and should not: {wanted}", []
    if ours is not None and wanted is None:
        return f"ours refuses, and should not: {ours}", []
    if (ours is None) == (theirs is None):
        return None, []
    lines = explanation(chain, ours, theirs)
    side = "only ours refuses" if theirs is None else "only Python refuses"
    return (None if lines else f"{side}: {ours or theirs}"), lines
