"""Usage receipts: what one charge was, signed (Ed25519) and chained by SHA-256 for each project. Pure.

A file of receipts is lines of JSON: a header with the project and the public keys, a line a receipt, and a signed end.
Every byte of it is under a signature: each receipt by its own, which covers the hash of the one before; the header by
the end's. JSON is canonical (sorted, without blanks), so that one content has one text.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from paracloud.billing.reckon_receipt import Off, is_reckonable, reckon
from paracloud.billing.rule import Unrated
from paracloud.kit.errors import Invalid

FORMAT = "paracloud-receipts-1"
FIRST = "0" * 64
"""What stands for the hash before the first one."""
KEY_LETTERS = 16
MICRO = 1_000_000


class NotWhole(ValueError):
    """Where a file of receipts is not what was signed: the line, from 1, and why."""

    def __init__(self, line: int, en: str, zh: str) -> None:
        super().__init__(f"line {line}: {en}")
        self.line, self.en, self.zh = line, en, zh


@dataclass(frozen=True, slots=True)
class Signed:
    """`text` is canonical JSON; `hash` its SHA-256, `signature` (base64) that of the hash."""

    text: str
    hash: str
    signature: str
    key: str


@dataclass(slots=True)
class Verified:
    """What a whole file says. `micro` sums by currency; `first` above 1: what came before is not in this file. Of
    `reckoned` receipts the amounts were reckoned again; `off` are those that do not come out, by number."""

    project: str = ""
    first: int = 0
    count: int = 0
    micro: dict[str, int] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    is_vouched: bool = False
    reckoned: int = 0
    off: dict[int, list[Off]] = field(default_factory=dict)


class Signer:
    """Signs with one private key; its 32 bytes are shown by nothing."""

    __slots__ = ("_private", "key", "public")

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = b64encode(self._private.public_key().public_bytes_raw()).decode()
        self.key = key_of(self.public)

    def sign(self, content: Mapping[str, object]) -> Signed:
        text = canonical(content)
        digest = sha256(text.encode()).digest()
        signature = b64encode(self._private.sign(digest)).decode()
        return Signed(text, digest.hex(), signature, self.key)


def key_of(public: str) -> str:
    """A public key's name: the beginning of its own SHA-256."""
    return sha256(b64decode(public)).hexdigest()[:KEY_LETTERS]


def canonical(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def header_line(project: str, keys: Mapping[str, str]) -> str:
    return canonical({"format": FORMAT, "keys": dict(keys), "project": project}) + "\n"


def receipt_line(one: Signed) -> str:
    return canonical({"key": one.key, "receipt": json.loads(one.text), "signature": one.signature}) + "\n"


def end_line(signer: Signer, header: str, count: int, last: str) -> str:
    """`last` is the last receipt's hash."""
    end = {"count": count, "header": sha256(header.encode()).hexdigest(), "last": last}
    signed = signer.sign(end)
    return canonical({"end": end, "key": signed.key, "signature": signed.signature}) + "\n"


def verify(lines: Iterable[bytes], trusted: Collection[str] = ()) -> Verified:
    """NotWhole for whatever is not as it was signed. `trusted` are public keys (base64): one of them must have signed
    each line. Without any the file's own keys are taken, and nobody vouches for them."""
    told = _numbered(lines)
    number, header_text, header = next(told, (1, "", {}))
    found = _header(number, header, trusted)
    last, at = "", 1
    for at, _, content in told:
        body = content.get("receipt")
        if body is None:
            return _end(found, at, content, header_text, last, told)
        _check_signature(at, body, content, found.keys)
        try:
            last = _next(at, body, found, last)
        except (KeyError, TypeError, ValueError, Invalid, Unrated) as wrong:
            if isinstance(wrong, NotWhole):
                raise
            raise NotWhole(at, "it lacks what a receipt says", "缺少收据应有的内容") from None
    raise NotWhole(at + 1, "the end is missing: the file was cut", "缺少结尾：文件被截断")


def _header(line: int, header: Mapping[str, Any], trusted: Collection[str]) -> Verified:
    keys = header.get("keys")
    if header.get("format") != FORMAT or not isinstance(keys, dict) or set(header) != {"format", "keys", "project"}:
        raise NotWhole(line, f"no header of {FORMAT}", f"不是 {FORMAT} 的文件头")
    if not all(isinstance(public, str) for public in keys.values()):
        raise NotWhole(line, "a public key is no text", "公钥不是文本")
    if trusted:
        keys = {key_of(one): one for one in trusted}
    return Verified(project=str(header["project"]), keys=keys, is_vouched=bool(trusted))


def _next(line: int, body: Mapping[str, Any], found: Verified, last: str) -> str:
    if body.get("project") != found.project:
        raise NotWhole(line, "a receipt of another project", "其他课题组的收据")
    if found.count and (body.get("number") != found.first + found.count or body.get("previous") != last):
        raise NotWhole(line, "it does not follow the receipt before", "与前一张收据不相连")
    if not found.count:
        found.first, found.since = int(body["number"]), str(body["charged_at"])
        if (found.first == 1) != (body.get("previous") == FIRST):
            raise NotWhole(line, "the first receipt follows another one", "首张收据之前另有收据")
    found.count += 1
    found.until = str(body["charged_at"])
    currency = str(body["currency"])
    found.micro[currency] = found.micro.get(currency, 0) + int(body["amount_micro"])
    if is_reckonable(body):
        found.reckoned += 1
        if off := reckon(body):
            found.off[body["number"]] = off
    return sha256(canonical(body).encode()).hexdigest()


def _end(
    found: Verified,
    line: int,
    content: Mapping[str, Any],
    header: str,
    last: str,
    rest: Iterator[tuple[int, str, dict[str, Any]]],
) -> Verified:
    end = content.get("end")
    if not isinstance(end, dict):
        raise NotWhole(line, "neither a receipt nor the end", "既不是收据也不是结尾")
    _check_signature(line, end, content, found.keys)
    told = {"count": found.count, "header": sha256(header.encode()).hexdigest(), "last": last or FIRST}
    if end != told:
        raise NotWhole(line, "the end is of other receipts or another header", "结尾与收据或文件头不符")
    for extra, _, _ in rest:
        raise NotWhole(extra, "something stands after the end", "结尾之后仍有内容")
    return found


def _check_signature(line: int, body: object, content: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    public = keys.get(str(content.get("key")))
    if public is None or not isinstance(body, dict):
        raise NotWhole(line, "signed with a key that is not known", "签名密钥未知")
    try:
        signature = b64decode(str(content.get("signature")), validate=True)
        if b64encode(signature).decode() != content.get("signature") or key_of(public) != content.get("key"):
            raise NotWhole(line, "its signature is not written as it was", "签名的写法被改动")
        raw = Ed25519PublicKey.from_public_bytes(b64decode(public, validate=True))
        raw.verify(signature, sha256(canonical(body).encode()).digest())
    except (InvalidSignature, NotBase64, ValueError) as wrong:
        if isinstance(wrong, NotWhole):
            raise
        raise NotWhole(line, "it is not what was signed", "内容与签名不符") from None


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode()
            content = json.loads(text)
            is_same = isinstance(content, dict) and canonical(content) + "\n" == text
        except (ValueError, RecursionError):
            is_same = False
        if not is_same:
            raise NotWhole(number, "it is not written as receipts are", "不是收据文件的写法")
        yield number, text, content
