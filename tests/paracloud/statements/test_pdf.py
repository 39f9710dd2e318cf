"""A statement on paper, of whatever size: read back from the file as people read it, line by line."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pypdf
import pytest
from tests.paracloud.statements.test_write_statement import fonts_of

from paracloud.kit.identifiers import ProjectId, new_uuid
from paracloud.statements.as_pdf import write_pdf
from paracloud.statements.font import has, written
from paracloud.statements.sheet import figures, money
from paracloud.statements.statement import Payer, PayerKind, Statement, Sums, UnitPrices, Used, UsedBy
from paracloud.statements.words import Language

ONE_PRICE = UnitPrices((Decimal("0.123456789"),) * 2, (Decimal(2), Decimal("3.500000000")), has_rule=False)
CHINESE = "先进功能材料与凝聚态物理超级计算联合实验室第三高性能气象海洋组"
LATIN = "Computational" * 15
NAMES = (CHINESE, LATIN, "熔体")


def a_month(places: int, micro: int, *, prices: UnitPrices = ONE_PRICE, seconds: int = 10**11) -> Statement:
    projects = {ProjectId(new_uuid()): f"{NAMES[at % 3]}{at}" for at in range(places)}
    sums = Sums(123, seconds, seconds // 10, micro, micro, micro // 3, micro // 7)
    used = tuple(Used(name, "general", "east", f"q{at}", sums, prices) for at, name in enumerate(projects.values()))
    by_user = tuple(UsedBy(name, f"user{at}", sums) for at, name in enumerate(projects.values()))
    payer = Payer(PayerKind.ORGANISATION, new_uuid(), "大学", "大学", new_uuid(), projects)
    now = datetime(2026, 7, 2, tzinfo=UTC)
    return Statement(payer, date(2026, 6, 1), now, True, "CNY", used, by_user, (), (), 0, 0, 0)


def pages(tmp_path, statement: Statement, language: Language = Language.EN) -> list[pypdf.PageObject]:
    path = tmp_path / "month.pdf"
    write_pdf(path, statement, language, "Cloud")
    return list(pypdf.PdfReader(path).pages)


def printed(page: pypdf.PageObject) -> list[tuple[float, str]]:
    """Height above the foot of the page and text of each line, from above, its texts from the left."""
    found: dict[float, list[tuple[float, str]]] = {}

    def see(text, outer, inner, _font, _size) -> None:
        if text.strip():
            x, y = (inner[4] * outer[at] + inner[5] * outer[at + 2] + outer[at + 4] for at in (0, 1))
            found.setdefault(round(y), []).append((x, text.strip()))

    page.extract_text(visitor_text=see)
    return [(y, " ".join(text for _, text in sorted(found[y]))) for y in sorted(found, reverse=True)]


@pytest.mark.parametrize("language", Language)
def test_names_stay_whole_lines_beside_amounts_of_seven_digits(tmp_path, language):
    found = pages(tmp_path, a_month(3, 9_876_543_210_987), language)
    assert found[0].mediabox.width > found[0].mediabox.height
    lines = [text for page in found for _, text in printed(page)]
    assert len([line for line in lines if line.startswith(f"{CHINESE} 0")]) == 2
    said = ["".join(line.split()) for line in lines]
    assert [line for line in said if LATIN[:-20] in line] == [], "its end is below its beginning"
    assert LATIN in "".join("".join(page.extract_text() for page in found).split())


def test_small_amounts_stand_upright(tmp_path):
    (page,) = pages(tmp_path, a_month(2, 12_345_678, seconds=10**6))
    assert page.mediabox.width < page.mediabox.height


def test_no_page_begins_within_a_row_or_with_the_total_alone(tmp_path):
    """With a row more each time, so that every place of the page's end is met."""
    for count in range(8, 24):
        found = [[text for _, text in printed(page)] for page in pages(tmp_path, a_month(count, 10_000))]
        assert len(found) > 1
        for lines in found:
            begun = [line for line in lines if "27,777,777.78" in line and not line.startswith(("user", "Total"))]
            assert len(begun) == len([line for line in lines if line.startswith("General cloud")]), "a row is on a page"
            heads = [at for at, line in enumerate(lines) if "Core-hours" in line]
            assert any("Project" in lines[at] for at in heads) == bool(begun), "its head is above it"
            titles = [at for at, line in enumerate(lines) if line in {"Account", "By user"}]
            assert all(len(lines[at + 1 : -1]) > 1 for at in titles), "a title has its table below it"
            assert not [at for at in heads if lines[at + 1].startswith("Total")], "the total is below a row"


def test_a_column_has_one_number_of_decimals_and_says_what_is_nothing():
    assert money([0, 120_000, -5_000_000_000]) == ["–", "0.12", "-5,000.00"]
    assert money([0, 120_000, 25_698_480]) == ["–", "0.120000", "25.698480"]
    assert money([-1]) == ["-0.000001"]


def test_columns_of_what_nobody_used_are_left_out():
    plain = Sums(1, 3600, 0, 10_000, 10_000)
    assert list(figures([plain, plain])) == ["jobs", "core_hours", "amount"]
    assert list(figures([plain, replace(plain, credit=10_000)])) == ["jobs", "core_hours", "amount", "credit", "wallet"]


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (ONE_PRICE, "0.123456789 CNY/核时 · 2.00–3.50 CNY/卡时"),
        (UnitPrices((Decimal(0),) * 2, (Decimal(2),) * 2, has_rule=True), "2.00 CNY/卡时 · 按计费规则"),
        (UnitPrices(None, None, has_rule=True), "按计费规则"),
    ],
)
def test_a_place_says_its_unit_prices(tmp_path, prices, said):
    text = "".join(page.extract_text() for page in pages(tmp_path, a_month(1, 10_000, prices=prices), Language.ZH))
    assert "".join(said.split()) in "".join(text.split())


def test_a_letter_that_the_font_lacks_is_said_by_its_number_and_is_no_box(tmp_path):
    odd = {
        "王😀": "王[U+1F600]",
        "محمد": "[U+0645 U+062D U+0645 U+062F]",
        "\U00030000组": "[U+30000]组",
        "a\u202eb\x07": "a[U+202E]b[U+0007]",
        "𠮷 é Ж\nb": "𠮷 é Ж b",
    }
    assert {text: written(text) for text in odd} == odd
    month = a_month(len(odd), 10_000)
    used = tuple(replace(one, project=name) for one, name in zip(month.used, odd, strict=True))
    found = pages(tmp_path, replace(month, used=used, payer=replace(month.payer, organisation="😀")))
    said = "".join("".join(page.extract_text() for page in found).split())
    for shown in ("[U+1F600]", *odd.values()):
        assert "".join(shown.split()) in said
    assert all("NotoSansCJK" in font["/BaseFont"] for page in found for font in fonts_of(page))


def test_the_font_has_what_statements_say_themselves():
    assert all(map(has, "–·：；、（）Az09 账单"))
