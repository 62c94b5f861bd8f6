"""run-peer.py < CALLS

Runs command-line tools of the Python implementation of in-toto, many in one process, because starting Python costs
more than verifying. CALLS is a JSON list of {"program", "arguments", "directory"}; what is printed is a JSON list of
{"status", "log"} in the same order. A program is the tool's name without `in-toto-`, or `layout`: see write_layout.
"""

import importlib
import json
import os
import sys
import tempfile
import traceback

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.metadata import Envelope, Metablock
from securesystemslib.signer import CryptoSigner, SSlibKey


def write_layout(specification_path, layout_path):
    """Signs the layout that a JSON file describes: {"owner": private key, "dsse": bool, "steps", "inspections"}."""
    with open(specification_path, encoding="utf-8") as file:
        specification = json.load(file)
    layout = Layout()
    layout.set_relative_expiration(days=1)
    for step in specification["steps"]:
        with open(step.pop("key"), "rb") as file:
            key = SSlibKey.from_crypto(load_pem_public_key(file.read()))
        layout.add_functionary_key(key.to_dict() | {"keyid": key.keyid})
        layout.steps.append(Step(pubkeys=[key.keyid], threshold=1, **step))
    layout.inspect = [Inspection(**inspection) for inspection in specification["inspections"]]
    with open(specification["owner"], "rb") as file:
        owner = CryptoSigner(load_pem_private_key(file.read(), password=None))
    metadata = Envelope.from_signable(layout) if specification["dsse"] else Metablock(signed=layout)
    metadata.create_signature(owner)
    metadata.dump(layout_path)


def run_program(name, arguments):
    if name == "layout":
        write_layout(*arguments)
        return
    module = importlib.import_module("in_toto.in_toto_" + name.replace("-", "_"))
    sys.argv = ["in-toto-" + name, *arguments]
    module.main()


def status_of(call):
    os.chdir(call["directory"])
    try:
        run_program(call["program"], call["arguments"])
    except SystemExit as end:
        return end.code or 0
    except Exception:  # what the tool itself would end with: a traceback and status 1
        traceback.print_exc()
        return 1
    return 0


def run_logged(call):
    """Output goes through descriptors, so that what inspections print is seen as well."""
    with tempfile.TemporaryFile() as log:
        saved = [os.dup(1), os.dup(2)]
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        status = status_of(call)
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, copy in zip((1, 2), saved):
            os.dup2(copy, descriptor)
            os.close(copy)
        log.seek(0)
        return {"status": status, "log": log.read().decode("utf-8", "replace")}


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    # The calls' results are the only thing on standard output.
    print(json.dumps([run_logged(call) for call in json.load(sys.stdin)]))


main()
