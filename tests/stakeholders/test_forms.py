from stakeholders.forms import FindForm, OrganisationForm

FACTS = {"name": "Diaspora Network", "country": "ML", "category": "diaspora"}


def test_the_name_of_an_organisation_leaves_its_sentence_alone(db):
    typed = {"name": "Diaspora\x1b \u202eNetwork\r\n", "acronym": "\u2067DN"}
    form = OrganisationForm(FACTS | typed)

    assert form.is_valid()
    assert (form.instance.name, form.instance.acronym) == ("Diaspora Network", "DN")
    assert FindForm(typed).is_valid()


def test_an_organisation_without_a_name_is_refused(db):
    for form in (OrganisationForm(FACTS | {"name": "\u202e"}), FindForm({"name": "\u202e"})):
        assert form.errors["name"] == ["Write the name of your organisation."]
