"""Each format says the same; no text of a user's is ever computed; fonts are in the file."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from xml.etree import ElementTree as ET

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, sold
from tests.paracloud.statements.month import EVIL, JUNE, LATER, full_month, payer_in, stated

from paracloud.billing.adjust import adjust
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.end_package import end_package
from paracloud.billing.price import add_price
from paracloud.billing.reverse import reverse
from paracloud.kit.identifiers import PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.statements import as_xlsx
from paracloud.statements.as_pdf import write_pdf
from paracloud.statements.check_focus import check_focus
from paracloud.statements.rows import COLUMNS, hours, plain
from paracloud.statements.statement import Statement
from paracloud.statements.words import WORDS, Language, word
from paracloud.statements.write_statement import Format, write_statement

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
async def written(database, tmp_path):
    month = await full_month(database)
    payer = await payer_in(database, month, is_whole=True)

    async def write(form: Format, language: Language = Language.EN):
        path = tmp_path / f"{form}-{language}"
        async with database.begin() as session:
            draft = await write_statement(session, payer, JUNE, form, language, path, provider="云算 Cloud", now=LATER)
        draft.finish()
        return draft.statement, path

    return write


def cost(statement: Statement) -> Decimal:
    """What the wallet paid for the month: charges and purchases."""
    micro = statement.total.wallet - sum(one.micro for one in statement.movements if one.is_cost)
    return Decimal(micro).scaleb(-6)


@pytest.mark.parametrize("language", Language)
async def test_the_csv_has_every_charge_and_purchase_and_no_formula(written, language):
    statement, path = await written(Format.CSV, language)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") == (language is Language.ZH)
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert list(rows[0]) == [word(column, language) for column in COLUMNS]
    assert len(rows) == 6 + 3
    assert sum(Decimal(row[word("wallet", language)]) for row in rows) == cost(statement)
    hours = [Decimal(row[word("core_hours", language)] or 0) for row in rows]
    assert abs(sum(hours) - Decimal(2)) < Decimal("0.00001")
    assert rows[0][word("name", language)] == f"'{EVIL}"
    assert rows[0][word("product_line", language)] == word("general", language)
    assert rows[5][word("reason", language)] == "'+wrong node"
    assert not [cell for row in rows for cell in row.values() if re.match(r"[=+@\t\r]", cell)]


@pytest.mark.parametrize("language", Language)
async def test_the_workbook_has_exact_numbers_and_no_formula(written, language):
    statement, path = await written(Format.XLSX, language)
    sheets = dict(sheets_of(path))
    titles = [word(title, language) for title in ("usage_title", "users_title", "money_title", "charged")]
    assert list(sheets) == titles
    charges = sheets[titles[3]]
    assert charges[0] == [word(column, language) for column in COLUMNS]
    wallet = COLUMNS.index("wallet")
    assert sum(row[wallet] for row in charges[1:]) == cost(statement)
    assert charges[1][COLUMNS.index("name")] == EVIL
    assert sheets[titles[0]][-1][-1] == Decimal(statement.total.wallet).scaleb(-6)
    assert sheets[titles[2]][-1][-1] == Decimal(statement.closing).scaleb(-6)
    with zipfile.ZipFile(path) as whole:
        assert not [name for name in whole.namelist() if b"<f>" in whole.read(name)]


async def corrected(database, month) -> None:
    """Goodwill, what is owed besides, a package that was ended, and a charge that is posted anew at another price."""
    project = month.world.project
    paid = await sold(database, month.world, hours=1, price="2", name="短包")
    special = replace(month.world.price, id=PriceVersionId(new_uuid()), core_hour=Decimal("0.5"), card_hour=Decimal(0))
    async with database.begin() as session:
        await adjust(session, project, Money.parse("1.5"), key="1", reason="+sorry", person="op", now=NOW)
        await adjust(session, project, Money.parse("-0.25"), key="2", reason="a disk", person="op", now=NOW)
        await end_package(session, paid.id, reason="too small", person="op", now=NOW)
        await add_price(session, EAST, "special", special, person="op", now=NOW, valid_from=NOW)
        query = text("SELECT usage_id, entry_id FROM charges JOIN usage ON id = usage_id WHERE record_id = '9'")
        usage, entry = (await session.execute(query)).one()
        await reverse(session, entry, reason="wrong price", person="op", now=NOW)
        await decide_usage(session, usage, special.id, reason="as agreed", person="op", now=NOW)


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX, Format.FOCUS, Format.PDF])
async def test_what_was_put_right_by_hand_stands_in_every_format_and_the_sums_are_right(database, tmp_path, form):
    month = await full_month(database)
    await corrected(database, month)
    payer, path = await payer_in(database, month, is_whole=True), tmp_path / "statement"
    async with database.begin() as session:
        draft = await write_statement(session, payer, JUNE, form, Language.EN, path, provider="云算", now=LATER)
    draft.finish()
    statement = draft.statement
    moved = [(one.kind, one.of, one.micro, one.is_cost) for one in statement.movements if one.reason]
    assert moved == [
        ("adjustment", None, 1_500_000, True), ("adjustment", None, -250_000, True),
        ("package-end", "短包", 2_000_000, True),
    ]  # fmt: skip
    assert statement.charged == -statement.total.wallet
    assert statement.total.core_seconds == 7200
    if form is Format.PDF:
        said = "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
        assert all(word in said for word in ("adjustment", "+sorry", "package ended", f"{cost(statement):,.6f}"))
        return
    if form is Format.XLSX:
        charges = dict(sheets_of(path))[word("charged", Language.EN)]
        wallet, entry = COLUMNS.index("wallet"), COLUMNS.index("entry")
        assert sum(row[wallet] for row in charges[1:]) == cost(statement)
        assert len({row[entry] for row in charges[1:]}) == len(charges) - 1
        return
    rows = list(csv.DictReader(path.read_text().splitlines()))
    if form is Format.CSV:
        assert sum(Decimal(row[word("wallet", Language.EN)]) for row in rows) == cost(statement)
        assert [row["Reason"] for row in rows if row["Kind"] == "adjustment"] == ["'+sorry", "a disk"]
        assert "" not in {row["Entry"] for row in rows}
        return
    assert list(check_focus(path.read_text().splitlines())) == []
    assert sum(Decimal(row["BilledCost"]) for row in rows) == cost(statement)
    by_hand = [(row["ChargeCategory"], row["BilledCost"]) for row in rows if row["ServiceName"] == "Adjustments"]
    assert by_hand == [("Credit", "-1.5"), ("Adjustment", "0.25")]
    assert sum(Decimal(row["ConsumedQuantity"] or 0) for row in rows if row["ConsumedUnit"] == "Core-Hours") == 2


async def test_charges_beyond_what_a_sheet_can_have_go_to_the_next(written, monkeypatch):
    monkeypatch.setattr(as_xlsx, "MOST_ROWS", 4)
    _, path = await written(Format.XLSX)
    sheets = {name: rows for name, rows in sheets_of(path) if name.startswith(word("charged", Language.EN))}
    assert [len(rows) - 1 for rows in sheets.values()] == [3, 3, 3]


@pytest.mark.parametrize("language", Language)
async def test_the_pdf_says_what_is_to_pay_with_its_fonts_in_it(written, language):
    statement, path = await written(Format.PDF, language)
    reader = pypdf.PdfReader(path)
    said = "".join("".join(page.extract_text() for page in reader.pages).split())
    for wanted in ("大学", "熔体", "云算", statement.number, "2026-06", EVIL, f"{cost(statement):,.6f}"):
        assert "".join(wanted.split()) in said
    assert word("to_pay", language).replace(" ", "") in said
    descendants = [font for page in reader.pages for font in fonts_of(page)]
    assert descendants
    for font in descendants:
        assert "NotoSansCJK" in font["/BaseFont"]
        assert {"/FontFile2", "/FontFile3"} & set(font["/FontDescriptor"])
    raw = path.read_bytes()
    assert len(raw) < 1_000_000  # of the font what is used


def fonts_of(page) -> Iterator[pypdf.generic.DictionaryObject]:
    for font in page["/Resources"]["/Font"].values():
        for one in font.get_object().get("/DescendantFonts", [font]):
            yield one.get_object()


async def test_what_users_name_is_never_typst_to_the_compiler(database, tmp_path):
    month = await full_month(database)
    payer = await payer_in(database, month, is_whole=True)
    statement, _ = await stated(database, payer)
    evil = '#read("/etc/hostname") $x$ *b* @r <l> \\ ] } "'
    used = tuple(replace(one, project=evil) for one in statement.used)
    by_user = tuple(replace(one, user=evil) for one in statement.by_user)
    path = tmp_path / "evil.pdf"
    payer = replace(payer, organisation=evil)
    write_pdf(path, replace(statement, used=used, by_user=by_user, payer=payer), Language.EN, evil)
    said = "".join("".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())
    assert said.count("".join(evil.split())) >= 4


async def test_focus_keeps_its_own_rules_and_bills_what_the_wallet_paid(written):
    statement, path = await written(Format.FOCUS)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert list(check_focus(path.read_text().splitlines())) == []
    assert sum(Decimal(row["BilledCost"]) for row in rows) == cost(statement)
    categories = [row["ChargeCategory"] for row in rows]
    assert (categories.count("Usage"), categories.count("Purchase"), categories.count("Credit")) == (8, 3, 1)
    fee = sum(one.micro for one in statement.movements if one.kind == "dedicated")
    worth = statement.total.amount - statement.total.credit + 7_000_000 - fee  # of packages what was used, or expired
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == Decimal(worth).scaleb(-6)
    used = [row for row in rows if row["CommitmentDiscountStatus"] == "Used"]
    assert [(row["BilledCost"], row["EffectiveCost"], row["ConsumedQuantity"]) for row in used] == [("0", "0.9", "1")]
    hours = sum(Decimal(row["ConsumedQuantity"] or 0) for row in rows if row["ConsumedUnit"] == "Core-Hours")
    assert abs(hours - 2) < Decimal("1e-9")
    assert rows[1]["ResourceName"] == f"'{EVIL}"


@given(st.integers(-(10**15), 10**15))
def test_hours_are_the_nearest_millionth(seconds):
    exact = Fraction(seconds, 3600)
    assert Fraction(hours(seconds)) == Fraction(round(exact * 10**6), 10**6)


def test_a_time_is_written_in_whole_seconds_of_utc():
    east = timezone(timedelta(hours=8))
    assert plain(datetime(2026, 6, 1, 0, 0, 59, 999_999, tzinfo=east)) == "2026-05-31T16:00:59Z"


def test_every_word_is_said_in_both_languages():
    assert [key for key, (en, zh) in WORDS.items() if not en or not re.search("[一-鿿]", zh)] == []


def sheets_of(path) -> Iterator[tuple[str, list[list[str | Decimal | None]]]]:
    """Name and rows of each sheet, read from the file itself: numbers as they are written there."""
    with zipfile.ZipFile(path) as whole:
        book = ET.fromstring(whole.read("xl/workbook.xml"))  # noqa: S314  # our own file
        for at, sheet in enumerate(book.iter(f"{SHEET}sheet"), 1):
            data = ET.fromstring(whole.read(f"xl/worksheets/sheet{at}.xml"))  # noqa: S314
            yield sheet.attrib["name"], [row_of(row) for row in data.iter(f"{SHEET}row")]


def row_of(row) -> list[str | Decimal | None]:
    cells: list[str | Decimal | None] = []
    for cell in row:
        at = column_of(cell.attrib["r"])
        cells += [None] * (at - len(cells))
        text = cell.find(f"{SHEET}is/{SHEET}t")
        cells.append(text.text if text is not None else Decimal(cell.find(f"{SHEET}v").text))
    return cells


def column_of(name: str) -> int:
    at = 0
    for letter in name.rstrip("0123456789"):
        at = at * 26 + ord(letter) - 64
    return at - 1
