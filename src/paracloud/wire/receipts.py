"""Receipts on the wire; the file itself is lines of JSON."""

from paracloud.wire.base import Model


class ReceiptKeyModel(Model):
    """`public` is an Ed25519 public key in base64; `id` the beginning of its SHA-256."""

    id: str
    public: str
    signs_now: bool


class ReceiptKeyList(Model):
    items: list[ReceiptKeyModel]


class IssuedModel(Model):
    """`issued`: how many receipts were made now; `is_all`: nothing waits for one any more."""

    issued: int
    is_all: bool
