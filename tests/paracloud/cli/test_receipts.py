"""`receipt fetch` and `receipt verify`: the second needs nobody."""

import json

from tests.paracloud.billing.test_receipt import FILE, SIGNER, signed


def test_a_project_without_charges_has_a_whole_file_with_nothing_in_it(terminal, lin):
    assert terminal.say(lin, "receipt", "fetch", "r.jsonl") == "r.jsonl\n"
    done = terminal.run(None, "receipt", "verify", "r.jsonl", "--json", PARACLOUD_URL="http://127.0.0.1:9")
    told = json.loads(done.stdout)
    assert (told["count"], told["project"], told["is_vouched"]) == (0, str(lin.project), False)


def test_a_whole_file_is_told_and_a_changed_byte_is_found(terminal):
    (terminal.home / "r.jsonl").write_bytes(b"".join(FILE))
    done = terminal.run(None, "receipt", "verify", "r.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Whole: receipts of project p: 4, from number 1")
    assert "nobody vouches" in done.stdout
    assert "nobody vouches" not in terminal.run(None, "receipt", "verify", "r.jsonl", "--key", SIGNER.public).stdout
    changed = b"".join(FILE).replace(b"2000", b"2001")
    (terminal.home / "r.jsonl").write_bytes(changed)
    said = {"en_US.UTF-8": "line 3: it is not what was signed", "zh_CN.UTF-8": "第 3 行：内容与签名不符"}
    for language, words in said.items():
        done = terminal.run(None, "receipt", "verify", "r.jsonl", language=language)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr


def test_an_amount_that_does_not_come_out_is_named(terminal):
    body = {
        "number": 1, "project": "p", "charged_at": "2026-06-01", "currency": "CNY", "is_reversal": True,
        "list_micro": "-7", "amount_micro": "-8", "package_micro": "0", "credit_micro": "0", "paid": [],
        "before": {"list_micro": "7", "amount_micro": "7", "package_micro": "0", "credit_micro": "0"},
    }  # fmt: skip
    (terminal.home / "r.jsonl").write_bytes(b"".join(signed([body])))
    said = {"en_US.UTF-8": "Number 1: amount_micro is -8; the rest of it comes to -7.",
            "zh_CN.UTF-8": "第 1 张：amount_micro 为 -8，按其余内容应为 -7。"}  # fmt: skip
    for language, words in said.items():
        done = terminal.run(None, "receipt", "verify", "r.jsonl", language=language)
        assert (done.returncode, words in done.stdout) == (1, True), done.stdout
    told = json.loads(terminal.run(None, "receipt", "verify", "r.jsonl", "--json").stdout)
    assert (told["reckoned"], told["off"]) == (1, {"1": [{"field": "amount_micro", "says": "-8", "comes_to": "-7"}]})


def test_a_key_that_is_none_is_refused(terminal):
    (terminal.home / "r.jsonl").write_bytes(b"".join(FILE))
    done = terminal.run(None, "receipt", "verify", "r.jsonl", "--key", "abc")
    assert (done.returncode, "Ed25519" in done.stderr) == (2, True)


def test_the_public_keys_are_shown(terminal, lin):
    (key,) = json.loads(terminal.say(lin, "receipt", "keys", "--json"))["items"]
    assert (key["public"], key["signs_now"]) == (SIGNER.public, True)
