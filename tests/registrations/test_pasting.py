from contextlib import suppress

import pytest
from django.utils import translation

from registrations import pasting, refusals
from registrations.intake import Person
from tests.hostile import texts

AMINA = Person("Amina", "Diallo", "amina@swmn.example", "head")
JOSE = Person("José Luis", "Herrera", "", "speaker")
OLENA = Person("Олена", "", "olena@swmn.example", "delegate")
ROWS = [
    ["Amina", "Diallo", "amina@swmn.example", "Head of delegation"],
    ["José Luis", "Herrera", "", "speaker"],
    ["Олена", "", "olena@swmn.example", ""],
]


def people(text: str) -> list[Person | None]:
    return [row.person for row in pasting.read(text).rows]


def wrong(text: str) -> list[list[str]]:
    return [row.wrong for row in pasting.read(text).rows]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", ", ", "، ", "؛", "，", "；"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\n\n  \n\t\n"])
def test_rows_are_read_however_they_are_separated(delimiter, newline):
    text = newline.join(delimiter.join(row) for row in ROWS)

    assert people(text) == people(f"\ufeff{text}{newline}") == [AMINA, JOSE, OLENA]


@pytest.mark.parametrize(
    "heading",
    [
        "Given names;Family name;Email address;Role",
        "First name;LAST NAME;E-mail;Role at the event",
        "Prénom;Nom;Courriel;Fonction",
        "Nombre;Apellidos;Correo electrónico;Función",
        "الاسم الأول;اسم العائلة;البريد الإلكتروني;الدور",
        "Имя;Фамилия;Электронная почта;Роль",
        "名;姓;电子邮件;角色",
    ],
)
def test_columns_stand_in_any_order_below_headings_of_six_languages(heading):
    order = (3, 1, 2, 0)
    rows = [heading.split(";"), *ROWS]
    turned = "\n".join("\t".join(row[at] for at in order) for row in rows)

    pasted = pasting.read(turned)

    assert [row.person for row in pasted.rows] == [AMINA, JOSE, OLENA]
    assert pasted.heading == turned.split("\n")[0]
    assert pasted.unread == []


def test_columns_that_nobody_asks_for_are_left_out_and_said():
    pasted = pasting.read("No.\tPassport\tName\tE-mail\n1\tX12\tAmina Diallo\tamina@swmn.example")

    assert [row.person for row in pasted.rows] == [Person("Amina Diallo", "", "amina@swmn.example")]
    assert pasted.unread == ["No.", "Passport"]


def test_one_column_of_names_is_enough():
    assert people("Nom\nHerrera\nDiallo") == people("Herrera\nDiallo")
    assert people("Herrera\nDiallo") == [Person("Herrera"), Person("Diallo")]


def test_a_person_with_the_family_name_alone_has_one_name():
    assert people("\tMadonna") == [Person("Madonna")]


def test_quoted_cells_may_hold_the_separator_marks_and_breaks():
    text = '"Amina, ""Mimi""",Diallo,"amina@swmn.example"\n"José\nLuis",Herrera,,speaker\n'

    assert people(text) == [Person('Amina, "Mimi"', "Diallo", "amina@swmn.example"), JOSE]
    assert [row.line for row in pasting.read(f"{text}Awa").rows] == [1, 2, 4]


def test_a_quotation_mark_that_is_never_closed_is_a_letter():
    assert people('"Amina\tDiallo\nAwa\tBa') == [Person('"Amina', "Diallo"), Person("Awa", "Ba")]


def test_spaces_that_do_not_break_and_invisible_marks_are_no_part_of_a_name():
    assert people("\u00a0José\u00a0 Luis \tHerrera\u200f\u202e\t\u00a0\tspeaker\u00a0") == [
        Person("José Luis", "Herrera\u200f", "", "speaker")
    ]


@pytest.mark.parametrize("code", [code for code, _name in pasting.settings.CONTENT_LANGUAGES])
def test_roles_are_read_as_the_portal_writes_them_in_each_language(code):
    with translation.override(code):
        labels = [str(label) for label in pasting.Role.labels]

    found = people("\n".join(f"Awa {at}\tBa\t\t{label}" for at, label in enumerate(labels)))

    assert [person.role for person in found if person] == pasting.Role.values


def test_what_is_wrong_with_a_row_is_said_and_how_to_mend_it():
    text = (
        "Awa\tBa\tawa.swmn.example\n\t\tawa@swmn.example\nAwa\tBa\t\tKing\n"
        "Awa\tawa@swmn.example\nAwa\tBa\t\tdelegate\t+33\tParis\n" + "x" * 256
    )

    assert wrong(text) == [
        [
            "Email address: This is not a whole email address. Write it like name@example.org",
        ],
        ["Given names: Write at least one name."],
        [
            "“King” is no role. Write one of these, or nothing for a delegate: "
            "Head of delegation, Delegate, Asks to speak, Interpreter, Personal assistant."
        ],
        [
            "“awa@swmn.example” stands where a name should be. Write above the columns what they "
            "hold, or keep the order: given names, family name, email address, role."
        ],
        [
            "There are 6 cells in this row, and four are read. Write above the columns what they "
            "hold."
        ],
        ["Given names: Ensure this value has at most 255 characters (it has 256)."],
    ]
    assert {row.becomes for row in pasting.read(text).rows} == {pasting.WRONG}


def test_who_stands_there_twice_comes_once():
    rows = pasting.read("Awa\tBa\ta@swmn.example\n\nAWA\tBa\tA@swmn.example\nAwa\tBa").rows

    assert [(row.becomes, row.above) for row in rows] == [("ready", 0), ("twice", 1), ("ready", 0)]


def test_the_rest_is_what_has_to_be_mended_as_it_was_pasted_below_its_heading():
    text = 'Role;Name\r\n;Awa\r\nKing;"Moussa ""M"""\r\nQueen;Olga'

    assert pasting.read(text).rest == 'Role;Name\nKing;"Moussa ""M"""\nQueen;Olga'
    assert pasting.read("Awa\nBa").rest == ""


@pytest.mark.parametrize(
    ("text", "refusal", "sentence"),
    [
        (
            " \n\t;;\n",
            refusals.NothingPasted,
            "Nobody stands in these rows. Paste at least one row with a name.",
        ),
        (
            "Name;Email",
            refusals.NothingPasted,
            "Nobody stands in these rows. Paste at least one row with a name.",
        ),
        (
            "Email;Role\na@swmn.example;delegate",
            refusals.NoNamesPasted,
            "No column holds names. Write “Given names” above the one that does, and look again.",
        ),
        (
            "Name\n" + "Awa\n" * 201,
            refusals.TooManyRows,
            "There are 201 rows. Paste at most 200 at once, and the others afterwards.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text, refusal, sentence):
    with pytest.raises(refusal) as refused:
        pasting.read(text)

    assert str(refused.value) == sentence


def test_200_rows_are_read():
    assert len(people("Name\n" + "".join(f"Awa {number}\n" for number in range(200)))) == 200


def test_no_text_in_a_cell_is_more_than_a_text():
    for hostile in texts.every():
        for text in (hostile, f"Awa\t{hostile}\t{hostile}\t{hostile}", f"Name\n{hostile}"):
            with suppress(refusals.Refusal):
                for row in pasting.read(text).rows:
                    assert row.wrong if row.person is None else len(row.person.full_name) < 242
                    assert "\n" not in row.name + row.role
                    assert "\x00" not in row.text
