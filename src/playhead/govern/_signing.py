"""Ed25519 signatures: who vouches for some bytes, not whether these are any good."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from pathlib import Path
from typing import Any

from playhead.errors import SignatureError
from playhead.govern._extra import needed

_SIZE = 32
_PRIVATE = "playhead-signing-key:"


class SigningKey:
    """A private key that signs. Make one with `SigningKey.new`, keep it with `write`.

    Args:
        seed: 32 secret bytes.

    Raises:
        MissingExtraError: The extra `govern` is not installed.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _SIZE:
            raise SignatureError(f"a signing key has {_SIZE} bytes, not {len(seed)}")
        self._seed = seed
        self._key = _engine().Ed25519PrivateKey.from_private_bytes(seed)
        self.public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    @classmethod
    def new(cls) -> SigningKey:
        """A new key."""
        return cls(os.urandom(_SIZE))

    @classmethod
    def read(cls, path: str | Path) -> SigningKey:
        """The key of a file that `write` made.

        Raises:
            SignatureError: There is no such file, it holds no key, or others can read it.
        """
        place = Path(path).expanduser()
        try:
            with place.open() as file:
                mode = os.fstat(file.fileno()).st_mode
                if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                    raise SignatureError(f"others can read the key `{place}`: chmod 600 {place}")
                text = file.read(1000).strip()
        except (OSError, UnicodeDecodeError) as error:
            kind = type(error).__name__
            raise SignatureError(f"the key file `{place}` cannot be read: {kind}") from None
        if not text.startswith(_PRIVATE):
            raise SignatureError(
                f"`{place}` holds no signing key: make one with `SigningKey.new()`"
            )
        return cls(_decoded(text.removeprefix(_PRIVATE), f"what `{place}` holds", _SIZE))

    def write(self, path: str | Path) -> Path:
        """Write the key into a new file that only its owner can read.

        Raises:
            SignatureError: The file is there already, or cannot be written.
        """
        place = Path(path).expanduser()
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise SignatureError(f"`{place}` is there already: no key is written over") from None
        except OSError as error:
            raise SignatureError(f"`{place}` cannot be written: {error.strerror}") from None
        with os.fdopen(descriptor, "w") as file:
            file.write(_PRIVATE + base64.b64encode(self._seed).decode() + "\n")
        return place

    def sign(self, data: bytes, *, purpose: str) -> str:
        """The signature of some bytes, in base64.

        Args:
            data: What is signed.
            purpose: What it is, so that a signature counts for nothing else.
        """
        made: bytes = self._key.sign(_framed(data, purpose))
        return base64.b64encode(made).decode()

    def __repr__(self) -> str:
        return f"<SigningKey {fingerprint(self.public)}>"


def is_signed(data: bytes, signature: str, *, public: str, purpose: str) -> bool:
    """Whether the owner of a key signed these bytes for this purpose.

    Args:
        data: What was signed.
        signature: In base64.
        public: The key, in base64.
        purpose: As given to `SigningKey.sign`.

    Raises:
        SignatureError: The key is no key.
        MissingExtraError: The extra `govern` is not installed.
    """
    engine = _engine()
    invalid = needed("cryptography.exceptions").InvalidSignature
    raw = public_bytes(public)
    try:
        key = engine.Ed25519PublicKey.from_public_bytes(raw)
        key.verify(_decoded(signature, "the signature", 64), _framed(data, purpose))
    except (invalid, SignatureError):
        return False
    return True


def fingerprint(public: str) -> str:
    """A short name of a public key: 16 hexadecimal digits."""
    return hashlib.sha256(public_bytes(public)).hexdigest()[:16]


def public_bytes(public: str) -> bytes:
    """The bytes of a public key.

    Raises:
        SignatureError: It is not 32 bytes in base64.
    """
    return _decoded(public, "a public key", _SIZE)


def _framed(data: bytes, purpose: str) -> bytes:
    return f"playhead {purpose}\n{len(data)}\n".encode() + data


def _decoded(text: str, what: str, size: int) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != size or base64.b64encode(raw).decode() != text:
        raise SignatureError(f"{what} is no key or signature: {size} bytes in base64 are wanted")
    return raw


def _engine() -> Any:  # noqa: ANN401  (a module of an extra)
    return needed("cryptography.hazmat.primitives.asymmetric.ed25519")
