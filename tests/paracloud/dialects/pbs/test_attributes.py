import pytest

from paracloud.dialects.pbs.attributes import ENTRIES_MOST, from_json, from_lines, from_xml

LISTED = """Job Id: 12.srv
    Job_Name = a = b
    Resource_List.select = 1:ncpus=1:j
\tobfs=104857600
    comment = line one
line two
    Error_Path = login:/home

    queue = batch

Job Id: 13[].srv
    job_state = Q
"""


def test_lines_are_read_whatever_was_folded_or_broken():
    assert from_lines(LISTED) == {
        "12.srv": {
            "Job_Name": "a = b",
            "Resource_List.select": "1:ncpus=1:jobfs=104857600",
            "comment": "line one\nline two",
            "Error_Path": "login:/home",
            "queue": "batch",
        },
        "13[].srv": {"job_state": "Q"},
    }


def test_tabs_that_were_expanded_fold_as_well():
    assert from_lines(LISTED.replace("\t", "        ")) == from_lines(LISTED)


@pytest.mark.parametrize("text", ["Welcome\n", "    queue = batch\n", "Job Id: 7.srv\nno attribute\n"])
def test_a_line_that_belongs_to_nothing_is_refused(text):
    with pytest.raises(ValueError, match="belongs to nothing"):
        from_lines(text)


def test_json_becomes_flat_texts():
    text = '{"timestamp":1,"Jobs":{"7.srv":{"Priority":0,"R":{"ncpus":2,"x":"y"},"jobs":["a","b"],"n":null}}}'
    assert from_json(text, "Jobs") == {"7.srv": {"Priority": "0", "R.ncpus": "2", "R.x": "y", "jobs": "a,b", "n": ""}}
    assert from_json(text, "Queue") == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"timestamp":1,"Jobs":[]}', '{"timestamp":1,"Jobs":{"7":1}}', "[" * 9999]
)
def test_what_is_no_answer_of_pbs_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # each in words of its own
        from_json(text, "Jobs")


def test_nobody_lists_more_than_there_can_be():
    with pytest.raises(ValueError, match="as many"):
        from_json('{"timestamp":1,"Jobs":{' + ",".join(f'"{n}":{{}}' for n in range(ENTRIES_MOST + 1)) + "}}", "Jobs")
    with pytest.raises(ValueError, match="longer"):
        from_xml("<Data>" + "<Job>" * (ENTRIES_MOST + 1), "Job", "Job_Id")


def test_xml_becomes_flat_texts():
    text = "<Data><Job><Job_Id>7.srv</Job_Id><R><mem>1gb</mem></R><V>a=&lt;b&gt; &amp;\x01</V><E/></Job></Data>\n"
    assert from_xml(text, "Job", "Job_Id") == {"7.srv": {"Job_Id": "7.srv", "R.mem": "1gb", "V": "a=<b> & ", "E": ""}}
    assert from_xml("", "Job", "Job_Id") == {}
