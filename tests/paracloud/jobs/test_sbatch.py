import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.jobs.sbatch import SCRIPT_LIMIT_BYTES, read_options, read_script, split_words
from paracloud.kit.errors import Invalid, Refused, TooLarge, Unsupported


def script(*lines: str) -> bytes:
    return "\n".join(["#!/bin/bash", *lines, ""]).encode()


def read_or_refused(content) -> bool:
    try:
        return bool(read_script(content).text)
    except Refused as error:
        return bool(error.en and error.zh and error.field is not None)


def refusal(*lines: str) -> Refused:
    with pytest.raises(Refused) as caught:
        read_script(script(*lines))
    return caught.value


def test_long_and_short_forms_with_their_values_are_read():
    read = read_script(script("#SBATCH -J melt", "#SBATCH -N2 --ntasks=8", "#SBATCH --time 1:00 -p cpu", "lmp"))
    assert read.options == {"job-name": "melt", "nodes": "2", "ntasks": "8", "time": "1:00", "partition": "cpu"}
    assert read.notices == ()


def test_reading_stops_at_the_first_command_as_sbatch_does():
    read = read_script(script("", "# a comment", "  # another", "#SBATCH -n 2", "date", "#SBATCH -n 4 --nonsense"))
    assert read.options == {"ntasks": "2"}


@pytest.mark.parametrize("line", [" #SBATCH -n 3", "##SBATCH -n 3", "# SBATCH -n 3", "#sbatch -n 3"])
def test_a_directive_begins_in_the_first_column_with_its_exact_word(line):
    assert read_script(script(line, "true")).options == {}


def test_the_last_of_two_wins():
    assert read_script(script("#SBATCH -n 2", "#SBATCH --ntasks=3")).options == {"ntasks": "3"}


def test_an_option_may_be_shortened_while_it_is_unambiguous():
    assert read_script(script("#SBATCH --part=cpu --jo=x")).options == {"partition": "cpu", "job-name": "x"}
    error = refusal("#SBATCH --cpus=3")
    assert "--cpus-per-task" in error.en
    assert error.field == "cpus"


@pytest.mark.parametrize(
    ("wrong", "right"), [("--ntaks=3", "--ntasks"), ("--partion=x", "--partition"), ("-T 1", "-t")]
)
def test_an_unknown_option_is_refused_by_name_with_what_was_meant(wrong, right):
    error = refusal("#SBATCH -N 1", f"#SBATCH {wrong}")
    assert wrong.split("=")[0].split()[0] in error.en
    assert right in error.en
    assert "Line 3" in error.en
    assert "第 3 行" in error.zh


def test_a_word_that_is_no_option_is_refused():
    assert "hello" in refusal("#SBATCH hello --ntasks=2").en


def test_what_the_platform_does_not_honour_is_said_by_name():
    read = read_script(script("#SBATCH -A mine --mail-type=END", "#SBATCH --mail-user=a@b.cn -D /home/x -v"))
    assert [notice.field for notice in read.notices] == ["account", "mail-type", "mail-user", "chdir"]
    assert read.options == {}
    assert isinstance(refusal("#SBATCH --uid=0"), Unsupported)
    assert refusal("#SBATCH -M other").field == "clusters"


def test_windows_line_ends_are_converted_and_said():
    read = read_script(b"#!/bin/sh\r\n#SBATCH -n 2\r\necho hi\r\n")
    assert read.options == {"ntasks": "2"}
    assert read.text == "#!/bin/sh\n#SBATCH -n 2\necho hi\n"
    assert "Windows" in read.notices[0].en


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", b"echo hi\n", b"\x7fELF\x00\x01", b"#!/bin/sh\n\xff\xfe", b"#!/bin/sh\n\0", "#!/bin/sh\ud800"],
)
def test_what_is_no_script_is_refused_clearly(content):
    with pytest.raises(Invalid, match="not a batch script"):
        read_script(content)


def test_a_large_script_is_refused_with_the_limit():
    with pytest.raises(TooLarge, match=str(SCRIPT_LIMIT_BYTES)):
        read_script(b"#!/bin/sh\n" + b"#" * (10 << 20))


def test_a_script_up_to_the_limit_is_read_even_in_one_line_of_directives():
    with pytest.raises(TooLarge, match="directive"):
        read_script(b"#!/bin/sh\n#SBATCH --job-name=" + b"x" * 1_000_000)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (' --job-name="a b" -n 2', ["--job-name=a b", "-n", "2"]),
        (" -n '2' # the rest", ["-n", "2"]),
        (" --time=10#comment", ["--time=10"]),
        (r" --job-name=a\ b\#c", ["--job-name=a b#c"]),
        (' ""', [""]),
        ('"#"', ["#"]),
    ],
)
def test_words_are_split_as_sbatch_splits_them(line, words):
    assert split_words(line) == words


def test_an_open_quote_is_refused():
    assert "not closed" in refusal("#SBATCH --job-name='a").en


def test_flags_may_stand_together_and_take_no_value():
    assert read_options(["-HQn4"]).options == {"hold": "", "ntasks": "4"}
    assert refusal("#SBATCH --hold=yes").field == "hold"
    assert "needs a value" in refusal("#SBATCH --ntasks").en


@given(st.text(max_size=200))
def test_any_line_is_read_or_refused_and_never_breaks(line):
    assert read_or_refused("#!/bin/sh\n#SBATCH " + line)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    assert read_or_refused(content)


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20), max_size=5))
def test_words_survive_being_quoted(words):
    quoted = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    assert split_words(quoted) == words
