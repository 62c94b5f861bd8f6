"""make-layout.py OWNER_KEY FUNCTIONARY_PUB LAYOUT

Writes, with the Python implementation of in-toto, a signed layout for one step: `build`, carried out by
FUNCTIONARY_PUB with `make dist`, makes dist/* out of Makefile and src/*, and nothing else. Its inspection compares
the files where it is verified with the products of that step. The key files are PEM.
"""

import sys

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.metadata import Metablock
from securesystemslib.signer import CryptoSigner, SSlibKey


def build_layout(functionary):
    layout = Layout(readme="One step and one inspection.")
    layout.set_relative_expiration(days=1)
    layout.add_functionary_key(functionary.to_dict() | {"keyid": functionary.keyid})
    step = Step(
        name="build",
        expected_command=["make", "dist"],
        expected_materials=[["ALLOW", "Makefile"], ["ALLOW", "src/*"], ["DISALLOW", "*"]],
        expected_products=[["CREATE", "dist/*"], ["DISALLOW", "*"]],
        pubkeys=[functionary.keyid],
        threshold=1,
    )
    inspection = Inspection(
        name="untouched",
        run=["true"],
        expected_materials=[["MATCH", "dist/*", "WITH", "PRODUCTS", "FROM", "build"], ["DISALLOW", "*"]],
    )
    layout.steps = [step]
    layout.inspect = [inspection]
    return layout


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    owner_path, functionary_path, layout_path = sys.argv[1:]
    with open(owner_path, "rb") as file:
        owner = CryptoSigner(load_pem_private_key(file.read(), password=None))
    with open(functionary_path, "rb") as file:
        functionary = SSlibKey.from_crypto(load_pem_public_key(file.read()))
    metadata = Metablock(signed=build_layout(functionary))
    metadata.create_signature(owner)
    metadata.dump(layout_path)


main()
