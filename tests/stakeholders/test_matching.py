"""When two spellings are one name, and who is proposed to somebody who searches."""

import random
from importlib import import_module

import pytest
from django.apps import apps

from bench import names
from stakeholders import importing, matching
from stakeholders.models import Organisation


@pytest.mark.parametrize(
    "spelling",
    [
        "Diaspora Network",
        "DIASPORA  network",
        "Diáspora Nëtwork",
        "Diaspora-Network",
        "“Diaspora Network”",
        "Diaspora\u00a0Network\u200f",
        "Diaspora Network (DN)",
        "Diaspora Network (D.N.)",
        "(DN) Diaspora Network",
        "DN – Diaspora Network",
        "Diaspora Network, DN",
        "Diaspora Network [DiaNet]",
        "The Diaspora Network",
        "Diaspora Network, Inc.",
        "Diaspora Network Incorporated",
        "Diaspora Network, Limited",
        "Diaspora Network, Ltd./Gte.",
        "Diaspora Network, Limited by Guarantee",
        "Diaspora Network e.V.",
        "Diaspora Network e. V.",
        "Diaspora Network L.L.C.",
        "Diaspora Network, a.s.b.l.",
        "Diaspora Network asbl",
        "Diaspora Network gGmbH",
        "Diaspora Network ONLUS",
        "Diaspora Network, Asociación Civil",
        "Diaspora Network A.C.",
        "Diaspora Network S.A.",
        "Diaspora Network, RA",
        "Diaspora Network, z.s.",
        "Diaspora Network o. z.",
        "ONG Diaspora Network",
        "O.N.G. Diaspora Network",
        "Diaspora Network (NGO)",
        "Ｄｉａｓｐｏｒａ Network",
        "𝔇iaspora Network",
    ],
)
def test_spellings_of_one_name_are_one_key(spelling):
    assert matching.key(spelling) == "diaspora network"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Women & Peace", "Women and Peace"),
        ("Femmes & Paix", "Femmes et Paix"),
        ("Mujeres y Paz", "Mujeres & Paz"),
        ("L’Entraide des gens d’ici", "Entraide des gens d'ici"),
        ("Migrants’ Voice", "Migrants Voice"),
        ("People's Forum", "Peoples Forum"),
        ("U.S. Forum", "US Forum"),
        ("W. J. Hope Trust", "WJ Hope Trust"),
        ("Łódź Œuvre", "Lodz Oeuvre"),
        ("Straße der Vielfalt", "Strasse der Vielfalt"),
        ("İstanbul Göç Vakfı", "Istanbul Goc Vakfi"),
        ("شبكة المهاجرين", "شبكه المهاجرين"),
        ("الشبكة المغربية", "شبكة المغربية"),
        ("مؤسسة إنماء", "مؤسّسة انماء"),
        ("أطباء بلا حدود", "اطبّاء بلا حُدود"),
        ("مستشفى آمال", "مستشفي امال"),
        ("شـــبكة", "شبكة"),
        ("انجمن یاری کودکان", "انجمن ياري كودكان"),
        ("منظمة ١٢٣", "منظمة 123"),
        ("Союз «Ёлка»", "Союз Елка"),
        ("移民之声（香港）", "移民之声(香港)"),
        ("ﾊｰﾄ", "ハート"),
    ],
)
def test_two_ways_to_write_a_name_are_one_key(one, other):
    assert matching.key(one) == matching.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Diaspora Network", "Diaspora Networks"),
        ("Diaspora Network", "Network Diaspora"),
        ("Diaspora Network", "Diaspora Network of Mali"),
        ("Diaspora Network (Lagos)", "Diaspora Network (Kano)"),
        ("Diaspora Network (UK)", "Diaspora Network"),
        ("Union of Students (US)", "Union of Students"),
        ("Network of Women (Nowat)", "Network of Women"),
        ("Diaspora Network SA", "Diaspora Network"),
        ("Port Workers, Kenya", "Port Workers"),
        ("Hope Foundation", "Hope"),
        ("Stichting Hoop", "Hoop"),
        ("شبكة المهاجرين", "شبكة العمال"),
        ("移民之声", "移工之声"),
        ("हिन्दी सेवा", "हिन्दा सेवा"),
        ("がくせい", "かくせい"),
    ],
)
def test_other_names_are_other_keys(one, other):
    assert matching.key(one) != matching.key(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ONG", "ong"),
        ("Ltd.", "ltd"),
        ("The", "the"),
        ("S.A.", "sa"),
        ("(DN)", "dn"),
        ("Le Pont", "pont"),
        ("شَبَكة المهاجرين", "شبكه المهاجرين"),
        ("移民之声", "移民之声"),
        ("A|b", "ab"),
    ],
)
def test_a_name_never_loses_all_its_words(name, key):
    assert matching.key(name) == key


@pytest.mark.parametrize("name", ["(DN)", "!!!", "…", "★", "|", "%", "_"])
def test_a_name_of_marks_alone_is_not_the_same_as_every_other_such_name(name):
    assert matching.key(name) not in ("", matching.key("(PW)"), matching.key("?"))


@pytest.mark.parametrize("name", ["ﷺ" * 255, "x" * 255, "\x00\u202e(((", ")" * 200 + "(" * 200])
def test_a_key_fits_its_column_whatever_was_typed(name):
    assert len(matching.key(name)) <= 255
    assert "\x00" not in matching.search_text(name, acronym=name)


@pytest.mark.parametrize(
    ("names", "acronym", "text"),
    [
        (["Diaspora Network"], "D.N.", "|diaspora network|dn|"),
        (["Network for Migrants’ Rights"], "", "|network for migrants rights|nmr|nfmr|"),
        (["Ponte per Tutti (PONTI)"], "", "|ponte per tutti ponti|ponti|ptp|pptp|"),
        (["شبكة المهاجرين", "Migrants"], "", "|شبكه المهاجرين|migrants|"),
        (["Port Workers", "Port Workers Ltd", "Dockers"], "PW", "|port workers|dockers|pw|"),
    ],
)
def test_a_search_looks_in_names_acronyms_and_initials(names, acronym, text):
    assert matching.search_text(*names, acronym=acronym) == text


@pytest.mark.parametrize(
    ("one", "other", "is_slip"),
    [
        ("network", "netwrok", True),
        ("network", "networks", True),
        ("networks", "network", True),
        ("network", "netwwork", True),
        ("network", "etwork", True),
        ("network", "nitwork", True),
        ("network", "networt", True),
        ("network", "enwtork", False),
        ("network", "networking", False),
        ("network", "network", False),
        ("network", "nettwrok", False),
        ("mali", "bali", True),
        ("oil", "oils", False),
        ("", "a", False),
    ],
)
def test_a_slip_is_one_letter(one, other, is_slip):
    assert matching.is_slip(one, other) == is_slip
    assert matching.is_slip(other, one) == is_slip


def test_two_names_near_each_other_are_told_and_no_others():
    keys = ["migrant forum of lagos", "migrant forum lagos", "dock workers", "dock worker", "hope"]

    near = matching.Names(keys)

    assert [[other for _how, other in near.near(number)] for number in range(5)] == [
        [1],
        [0],
        [3],
        [2],
        [],
    ]


# Search


@pytest.fixture
def known(db) -> dict[str, Organisation]:
    return {
        name: Organisation.objects.create(name=name, **facts)
        for name, facts in {
            "Diaspora Network": {"acronym": "DN", "country": "ML"},
            "Diaspora Network of Mali": {"country": "ML"},
            "Réseau des femmes migrantes": {"acronym": "RFM", "other_names": ["Migrant Women"]},
            "Médecins du Port": {},
            "Network for Health on Boats": {},
            "شبكة المهاجرين": {"country": "EG"},
            "Youth Forum": {"country": "KE"},
            "The Youth Forum": {"country": "UG"},
        }.items()
    }


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("diaspora network", ["Diaspora Network", "Diaspora Network of Mali"]),
        ("Diaspora Network of Mali", ["Diaspora Network of Mali", "Diaspora Network"]),
        ("Diasporra Netwrok", ["Diaspora Network", "Diaspora Network of Mali"]),
        ("Network Diaspora", ["Diaspora Network", "Diaspora Network of Mali"]),
        ("dn", ["Diaspora Network", "Diaspora Network of Mali"]),
        ("D.N.", ["Diaspora Network", "Diaspora Network of Mali"]),
        ("diasp", ["Diaspora Network", "Diaspora Network of Mali"]),
        ("health", ["Network for Health on Boats"]),
        ("RFM – Reseau des femmes migrantes", ["Réseau des femmes migrantes"]),
        ("migrant women", ["Réseau des femmes migrantes"]),
        ("medecin du port", ["Médecins du Port"]),
        ("nhb", ["Network for Health on Boats"]),
        ("NFHOB", ["Network for Health on Boats"]),
        ("شبكه المهاجرين", ["شبكة المهاجرين"]),
        ("ألمهاجرين", ["شبكة المهاجرين"]),
        ("Zebra crossing", []),
        ("", []),
        ("   ", []),
        ("%", []),
        ("|", []),
        ("'; drop table", []),
        ("\x00", []),
        ("x" * 5000, []),
    ],
)
def test_who_is_found(known, typed, found):
    assert [each.name for each in Organisation.objects.like(typed)] == found


@pytest.mark.parametrize(("country", "first"), [("KE", "Youth Forum"), ("UG", "The Youth Forum")])
def test_among_equals_the_country_decides(known, country, first):
    found = Organisation.objects.like("Youth Forum", country=country)

    assert [each.name for each in found][:2] == [
        first,
        next(n for n in ("Youth Forum", "The Youth Forum") if n != first),
    ]


def test_no_more_are_proposed_than_asked_for(known):
    assert len(Organisation.objects.like("Network", limit=2)) == 2


def test_a_search_stays_inside_what_may_be_seen(known):
    found = Organisation.objects.filter(country="KE").like("Youth Forum")

    assert [each.name for each in found] == ["Youth Forum"]


def test_a_search_is_one_query(known, django_assert_num_queries):
    with django_assert_num_queries(1):
        Organisation.objects.like("Diaspora Network", country="ML")


def test_a_new_name_is_found_however_it_was_saved(known):
    network = known["Diaspora Network"]
    network.name = "Bridge Builders"
    network.save(update_fields=["name"])

    assert Organisation.objects.like("bridge builders") == [network]
    assert Organisation.objects.like("Diaspora Network") == [known["Diaspora Network of Mali"]]


def test_rows_from_before_are_found_too(known):
    Organisation.objects.update(search_text="", matching_key="")
    assert Organisation.objects.like("migrant women") == []

    import_module("stakeholders.migrations.0004_members_and_imports").fold_names(apps, None)

    assert [each.name for each in Organisation.objects.like("migrant women")] == [
        "Réseau des femmes migrantes"
    ]
    assert not Organisation.objects.filter(matching_key="").exists()


# Many


@pytest.fixture
def crowd(db) -> list[str]:
    """2,000 invented names, each of another key."""
    invented = names.invented(2000, seed=7)
    organisations = [Organisation(name=name) for name in invented]
    for organisation in organisations:
        organisation.fold()
    Organisation.objects.bulk_create(organisations)
    return invented


def test_of_200_variants_98_in_100_find_the_right_one_first(crowd):
    chance = random.Random(41)
    right, lost = 0, []
    for number in range(200):
        name = chance.choice(crowd)
        typed = names.variant(name, number, chance)
        found = Organisation.objects.like(typed)
        if found and found[0].name == name:
            right += 1
        else:
            lost.append((typed, name))

    assert right >= 196, lost


def test_of_200_strangers_none_is_joined_without_a_person(crowd, django_user_model, now):
    strangers = names.strangers(200, crowd, seed=13)
    by = django_user_model.objects.create_user("clara@secretariat.example")
    file = "name\n" + "\n".join(strangers)

    run = importing.read("strangers.csv", file.encode(), by=by, now=now)

    assert run.counts["known"] == 0
    assert run.counts["near"] > 0
    assert run.counts["near"] + run.counts["new"] == 200
    importing.apply(run, by=by, now=now)
    assert Organisation.objects.count() == 2000 + run.counts["new"]
    assert not Organisation.objects.exclude(other_names=[]).exists()


def test_groups_are_of_names_that_are_near_of_pairs_that_are_known_and_never_of_those_apart():
    names = ["Harbour Union", "Harbor Union", "Choir of Gozo", "Port Workers", "Harbour Unions"]
    keys = [matching.key(name) for name in names]

    def apart(one: int, other: int) -> bool:
        return 4 in (one, other)

    owners = range(len(keys))
    assert matching.groups(keys, owners) == [[0, 1, 4]]
    assert matching.groups(keys, owners, joined=[(2, 3)]) == [[0, 1, 4], [2, 3]]
    assert matching.groups(keys, owners, are_apart=apart) == [[0, 1]]
    assert matching.groups(keys, [0, 1, 1, 3, 4]) == [[0, 1, 4]]
