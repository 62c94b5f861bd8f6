"""Throwaway keys that follow from a seed."""

import hashlib
import random

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibKey

HASHES = {
    "224": hashes.SHA224, "256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512, "521": hashes.SHA512}
SMALL_PRIMES = [number for number in range(3, 2000, 2) if all(number % divisor for divisor in range(3, number, 2))]


class Key:
    def __init__(self, private, scheme="ed25519"):
        self.private = private
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
        """Always the same signature of a message, but for RSA-PSS, whose salt is random."""
        if self.scheme == "ed25519":
            return self.private.sign(message)
        hash = HASHES[self.scheme[-3:]]()
        if self.keytype == "ecdsa":
            return self.private.sign(message, ec.ECDSA(hash, deterministic_signing=True))
        is_pss = self.scheme.startswith("rsassa-pss")
        return self.private.sign(
            message, padding.PSS(padding.MGF1(hash), hash.digest_size) if is_pss else padding.PKCS1v15(), hash)


def prime(rng):
    """A prime of 1024 bits, for keys that protect nothing."""
    while True:
        number = rng.getrandbits(1024) | 3 << 1022 | 1
        if all(number % small for small in SMALL_PRIMES) and all(pow(base, number - 1, number) == 1 for base in (2, 3, 5)):
            return number


def rsa_key(rng):
    p, q, e = prime(rng), prime(rng), 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public).private_key()


class Keyring:
    """An owner, functionaries, a stranger, and one key of each other scheme that Python knows."""

    def __init__(self, seed):
        rng = random.Random(f"keys of {seed}")
        self.owner, self.alice, self.bob, self.carl, self.stranger = self.ed25519 = [
            Key(Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))) for _ in range(5)]
        self.functionaries = [self.alice, self.bob, self.carl]
        number = rsa_key(rng)
        # The RSA ones are one key.
        self.schemed = [
            Key(number, f"{kind}-sha{length}") for kind in ("rsassa-pss", "rsa-pkcs1v15") for length in (224, 256, 384, 512)
        ] + [
            # Below the order of the curve, whichever number it is.
            Key(ec.derive_private_key(rng.getrandbits(curve.key_size - 1) + 1, curve()), f"ecdsa-sha2-{name}")
            for name, curve in (("nistp256", ec.SECP256R1), ("nistp384", ec.SECP384R1), ("nistp521", ec.SECP521R1))]

    def key(self, keyid):
        return next(key for key in self.ed25519 + self.schemed if keyid in (key.keyid, key.legacy_keyid))
