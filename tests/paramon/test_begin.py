"""Where a profile begins: by what name, and what is said where it cannot."""

import errno
import os
import resource

import pytest

from paramon.begin import spool_of
from paramon.errors import Refused


@pytest.mark.parametrize(
    ("node", "name"), [("n1", "n1"), ("a/b", "a_b"), (".n1", "_n1"), ("n\x1b[31m\n1", "n_[31m_1"), ("节点", "节点")]
)
def test_a_file_is_named_by_its_node_and_is_no_path_nor_hidden_nor_speaks_to_a_terminal(tmp_path, node, name):
    spool_of(str(tmp_path), {"node": node, "started_at_ms": 7}).close({})
    assert os.listdir(tmp_path) == [f"{name}-7-{os.getpid()}.paramon"]


def test_of_a_name_that_is_too_long_it_is_said_what_makes_it_so(tmp_path):
    with pytest.raises(Refused, match="shorten --node") as why:
        spool_of(str(tmp_path), {"node": "n" * 300, "started_at_ms": 7})
    assert "--node" in why.value.zh


@pytest.mark.parametrize(
    ("limit", "most", "number", "what"),
    [
        (resource.RLIMIT_NOFILE, 0, errno.EMFILE, "ulimit -n"),
        (resource.RLIMIT_FSIZE, 9, errno.EFBIG, "ulimit -f"),
    ],
)
def test_of_a_limit_it_is_said_which(tmp_path, limit, most, number, what):
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (most, before[1]))
    try:
        with pytest.raises(Refused) as why:
            spool_of(str(tmp_path), {"node": "n1", "started_at_ms": 7})
    finally:
        resource.setrlimit(limit, before)
    assert os.strerror(number) in why.value.en
    assert what in why.value.en
    assert what in why.value.zh
    assert os.listdir(tmp_path) == []
