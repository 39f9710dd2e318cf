"""`receipt fetch` and `receipt verify`: the second needs nobody."""

import json

from tests.paracloud.billing.test_receipt import FILE, SIGNER


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


def test_a_key_that_is_none_is_refused(terminal):
    (terminal.home / "r.jsonl").write_bytes(b"".join(FILE))
    done = terminal.run(None, "receipt", "verify", "r.jsonl", "--key", "abc")
    assert (done.returncode, "Ed25519" in done.stderr) == (2, True)


def test_the_public_keys_are_shown(terminal, lin):
    (key,) = json.loads(terminal.say(lin, "receipt", "keys", "--json"))["items"]
    assert (key["public"], key["signs_now"]) == (SIGNER.public, True)
