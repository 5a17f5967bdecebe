import pytest

from stakeholders import matching


@pytest.mark.parametrize(
    "spelling",
    [
        "Diaspora Network",
        "DIASPORA  network",
        "Diáspora Nëtwork",
        "Diaspora-Network",
        "“Diaspora Network”",
        "Diaspora Network (DN)",
        "Diaspora Network, Inc.",
        "Diaspora Network e.V.",
        "Diaspora Network L.L.C.",
        "Ｄｉａｓｐｏｒａ Network",
    ],
)
def test_spellings_of_one_name_are_one_key(spelling):
    assert matching.key(spelling) == "diaspora network"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Diaspora Network", "Diaspora Networks"),
        ("Diaspora Network", "Network Diaspora"),
        ("Diaspora Network", "Diaspora Network of Mali"),
        ("شبكة المهاجرين", "شبكة العمال"),
        ("移民之声", "移工之声"),
    ],
)
def test_other_names_are_other_keys(one, other):
    assert matching.key(one) != matching.key(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ONG", "ong"),
        ("NGO Ltd.", "ngo ltd"),
        ("Straße der Vielfalt", "strasse der vielfalt"),
        ("شَبَكة المهاجرين", "شبكة المهاجرين"),
        ("移民之声", "移民之声"),
    ],
)
def test_a_name_never_loses_all_its_words(name, key):
    assert matching.key(name) == key


@pytest.mark.parametrize("name", ["(DN)", "!!!", "…", "★"])
def test_a_name_of_marks_alone_is_not_the_same_as_every_other_such_name(name):
    assert matching.key(name) != ""


def test_names_of_different_marks_are_different():
    assert matching.key("(DN)") != matching.key("(PW)")
