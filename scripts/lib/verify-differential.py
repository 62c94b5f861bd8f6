"""verify-differential.py [COUNT] [OPTIONS]: see scripts/verify-differential."""

import argparse
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from chains import Chain
from cryptography.hazmat.primitives import serialization
from in_toto.models.metadata import Metadata
from in_toto.verifylib import in_toto_verify
from keyring import Keyring
from mutations import KINDS, MUTATIONS
from planted import DEFECTS
from strictness import complaint


def make(options, ring, number, directory):
    rng = random.Random(f"{options.seed}:{number}")
    chain = Chain(rng, ring)
    mutations = rng.sample(MUTATIONS, rng.choice([0, 0, 1, 1, 1, 1, 2]))
    if options.mutation:
        mutations = [mutation for mutation in MUTATIONS if mutation.__name__ == options.mutation][:1]
    for mutation in mutations:
        try:
            words = mutation(chain)
        except (IndexError, KeyError, ValueError, StopIteration):
            continue  # another mutation has taken away what this one would change
        chain.tags += [words] if isinstance(words, str) else words or []
        chain.mutations.append(mutation.__name__)
        chain.kinds |= {kind for kind, members in KINDS.items() if mutation in members}
    chain.write(directory)
    return chain


def python_verdict(ring, directory):
    """Nothing where it is accepted, else why not."""
    try:
        in_toto_verify(Metadata.load(os.path.join(directory, "layout")), {ring.owner.keyid: ring.owner.object()}, directory)
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


class Campaign:
    def __init__(self, options):
        self.options = options
        self.ring = Keyring(options.seed)
        self.tally, self.explained = collections.Counter(), collections.Counter()
        self.kinds = {kind: collections.Counter() for kind in ["none", *KINDS]}
        self.changed, self.caught = collections.Counter(), collections.Counter()
        self.unexplained = []

    def run(self):
        first, end = self.options.first, self.options.first + self.options.count
        with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(2) as pool:
            with open(os.path.join(work, "owner.pub"), "wb") as file:
                file.write(self.ring.owner.private.public_key().public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
            for start in range(first, end, 64):
                batch = [self.begun(number, work, pool) for number in range(start, min(start + 64, end))]
                for number, chain, directory, future in filter(None, batch):
                    theirs, ours = python_verdict(self.ring, directory), future.result()
                    self.judge(number, chain, directory, ours, theirs)
                    shutil.rmtree(directory)

    def begun(self, number, work, pool):
        directory = os.path.join(work, str(number))
        os.mkdir(directory)
        try:
            chain = make(self.options, self.ring, number, directory)
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            # A name that no file can have, a value that nobody can sign, nothing left to change after signing.
            self.tally["not made"] += 1
            shutil.rmtree(directory)
            return None
        return number, chain, directory, pool.submit(our_verdict, directory)

    def judge(self, number, chain, directory, ours, theirs):
        for kind in chain.kinds or {"none"}:
            self.kinds[kind]["accepted" if ours is None else "refused"] += 1
            self.kinds[kind]["otherwise"] += (ours is None) != (theirs is None)
        side = "both accept" if ours is None and theirs is None else (
            "only ours refuses" if theirs is None else "only Python refuses" if ours is None else "both refuse")
        self.tally[side] += 1
        wrong, lines = complaint(chain, ours, theirs)
        for line in lines[:1]:
            self.explained[f"{line} ({side})"] += 1
        if wrong:
            self.unexplained.append(f"{number} {chain.mutations} {wrong}")
            if self.options.keep:
                shutil.copytree(directory, os.path.join(self.options.keep, str(number)))
        elif self.options.self_test:
            for name, defect in DEFECTS.items():
                planted = defect(chain, ours)
                self.changed[name] += (planted is None) != (ours is None)
                self.caught[name] += complaint(chain, planted, theirs)[0] is not None

    def report(self):
        print(f"verify-differential: {self.options.count} chains, seed {self.options.seed}, from {self.options.first}")
        for name, count in sorted(self.tally.items()):
            print(f"  {name}: {count}")
        for name, count in sorted(self.explained.items()):
            print(f"    {name}: {count}")
        print("  by what was mutated:")
        for kind, counts in self.kinds.items():
            print(f"    {kind}: {counts['accepted']} accepted, {counts['refused']} refused, "
                  f"{counts['otherwise']} of them otherwise than Python")
        if self.options.self_test:
            self.report_defects()
        for text in self.unexplained[:20]:
            print(f"UNEXPLAINED {text}")
        if self.unexplained:
            sys.exit(f"{len(self.unexplained)} verdicts are not as expected, or explained by nothing")
        print("  every verdict is as expected, and every disagreement is explained by the table")
        if self.options.count >= 1000 and not self.options.mutation:
            lame = [kind for kind, counts in self.kinds.items() if not counts["accepted"] or not counts["refused"]]
            if lame:
                sys.exit(f"these mutations show nothing, as all their chains have one verdict: {lame}")

    def report_defects(self):
        for name in DEFECTS:
            print(f"  planted: {name}: {self.changed[name]} verdicts changed, {self.caught[name]} caught")
        missed = [name for name in DEFECTS if not self.caught[name]]
        if missed:
            sys.exit(f"planted defects that nothing noticed: {missed}")
        print(f"  each of {len(DEFECTS)} planted defects was caught")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--mutation", choices=sorted({mutation.__name__ for mutation in MUTATIONS}))
    parser.add_argument("--keep")
    parser.add_argument("--self-test", action="store_true")
    campaign = Campaign(parser.parse_args())
    campaign.run()
    campaign.report()


main()
