"""Who may open which address: every one of the project, for everybody.

A new address fails here until it has a row in one of the tables; a row without an address fails
too. One letter for each person, in the order of PEOPLE:

    .  the page          L  led to the door    >  led elsewhere
    0  not found (404)   x  refused (403)      5  not by this method (405)
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import calendars
from accounts.models import KeptPost, User
from audit.models import Entry
from events import deadlines, following, mails, questions, roles, schedule
from events.asking import Said
from events.models import Deadline, Follower, Process, Role
from notifications import preferences
from notifications.models import Kind, Letter
from registrations import answering, decisions, importing, intake, links, merging, notes
from registrations.intake import Person
from registrations.models import Batch, Correction, Exemption, Invitation, Message, SavedView
from stakeholders.models import ImportRun, Membership, Organisation
from tests.conftest import an_event, signed_in

PEOPLE = {
    "anonymous": "nobody has signed in",
    "other": "Bo, of another group",
    "own": "Amina, focal point of the group",
    "colleague": "a member of it who does not work on this delegation",
    "left": "a member who has left",
    "reader": "roles on the process",
    "reviewer": "",
    "door": "",
    "clara": "manager of the process",
    "dina": "manager of another process",
    "root": "superuser",
}

# Before the first gap: anonymous, other, own, colleague, left. Then: reader, reviewer, door. Then:
# Clara, Dina, root.
TABLE = """
account_confirm_login_code                           L>>>> >>> >>>
account_inactive                                     ..... ... ...
account_login                                        .>>>> >>> >>>
account_logout                                       >.... ... ...
account_reauthenticate                               Lxxxx xxx xxx
account_request_login_code                           LLLLL LLL LLL
account_signup                                       LLLLL LLL LLL
accounts:calendar                                    55555 555 555
accounts:kept                                        L0.00 000 000
accounts:me                                          L.... ... ...
admin/                                               >>>>> 000 000
admin/accounts/user/<path:object_id>/                >>>>> >>> >>>
admin/audit/entry/<path:object_id>/                  >>>>> >>> >>>
admin/events/deadline/<path:object_id>/              >>>>> >>> >>>
admin/events/event/<path:object_id>/                 >>>>> >>> >>>
admin/events/process/<path:object_id>/               >>>>> >>> >>>
admin/events/role/<path:object_id>/                  >>>>> >>> >>>
admin/notifications/letter/<path:object_id>/         >>>>> >>> >>>
admin/registrations/correction/<path:object_id>/     >>>>> >>> >>>
admin/registrations/delegate/<path:object_id>/       >>>>> >>> >>>
admin/registrations/exemption/<path:object_id>/      >>>>> >>> >>>
admin/registrations/importrun/<path:object_id>/      >>>>> >>> >>>
admin/registrations/invitation/<path:object_id>/     >>>>> >>> >>>
admin/registrations/message/<path:object_id>/        >>>>> >>> >>>
admin/registrations/registration/<path:object_id>/   >>>>> >>> >>>
admin/stakeholders/importrun/<path:object_id>/       >>>>> >>> >>>
admin/stakeholders/membership/<path:object_id>/      >>>>> >>> >>>
admin/stakeholders/organisation/<path:object_id>/    >>>>> >>> >>>
admin/stakeholders/representative/<path:object_id>/  >>>>> >>> >>>
admin:accounts_user_add                              >>>>> xxx xxx
admin:accounts_user_change                           >>>>> xxx xx.
admin:accounts_user_changelist                       >>>>> xxx xx.
admin:accounts_user_delete                           >>>>> xxx xxx
admin:accounts_user_forget_factors                   >>>>> 000 00.
admin:accounts_user_history                          >>>>> >>> >>.
admin:accounts_user_move                             >>>>> 000 00.
admin:app_list                                       >>>>> ... ...
admin:audit_entry_add                                >>>>> xxx xxx
admin:audit_entry_change                             >>>>> x.x .>.
admin:audit_entry_changelist                         >>>>> x.x ...
admin:audit_entry_delete                             >>>>> xxx xxx
admin:audit_entry_history                            >>>>> >.> .>.
admin:autocomplete                                   >>>>> xxx xxx
admin:events_deadline_add                            >>>>> xxx xxx
admin:events_deadline_add_step                       >>>>> xx0 .0.
admin:events_deadline_change                         >>>>> ..x .>.
admin:events_deadline_changelist                     >>>>> ..x ...
admin:events_deadline_delete                         >>>>> xxx xxx
admin:events_deadline_history                        >>>>> x.> .>.
admin:events_deadline_letters                        >>>>> ..0 .0.
admin:events_deadline_move                           >>>>> xx0 .0.
admin:events_deadline_remove_step                    >>>>> xx0 .0.
admin:events_deadline_resume_step                    >>>>> xx0 .0.
admin:events_deadline_send_step                      >>>>> xx0 .0.
admin:events_deadline_set                            >>>>> xx0 .0.
admin:events_deadline_skip_step                      >>>>> xx0 .0.
admin:events_event_add                               >>>>> xxx ...
admin:events_event_add_option                        >>>>> xx0 .0.
admin:events_event_add_question                      >>>>> xx0 .0.
admin:events_event_begin_like                        >>>>> xx0 .0.
admin:events_event_cancel                            >>>>> xx0 .0.
admin:events_event_change                            >>>>> ..x .>.
admin:events_event_change_option                     >>>>> xx0 .0.
admin:events_event_change_question                   >>>>> xx0 .0.
admin:events_event_changelist                        >>>>> ..x ...
admin:events_event_delete                            >>>>> xxx xxx
admin:events_event_history                           >>>>> x.> .>.
admin:events_event_import_people                     >>>>> xx0 .0.
admin:events_event_invite                            >>>>> xx0 .0.
admin:events_event_let_in                            >>>>> xx0 .0.
admin:events_event_move                              >>>>> xx0 .0.
admin:events_event_on_behalf                         >>>>> xx0 .0.
admin:events_event_overview                          >>>>> ..0 .0.
admin:events_event_postpone                          >>>>> xx0 .0.
admin:events_event_publish                           >>>>> xx0 .0.
admin:events_event_reminders                         >>>>> ..0 .0.
admin:events_event_queue                             >>>>> ..0 .0.
admin:events_event_questions                         >>>>> xx0 .0.
admin:events_event_retire_option                     >>>>> xx0 .0.
admin:events_event_retire_question                   >>>>> xx0 .0.
admin:events_event_seats                             >>>>> ..0 .0.
admin:events_event_write                             >>>>> x.0 .0.
admin:events_process_add                             >>>>> xxx xx.
admin:events_process_change                          >>>>> ..x .>.
admin:events_process_changelist                      >>>>> ..x ...
admin:events_process_delete                          >>>>> xxx xxx
admin:events_process_history                         >>>>> x.> .>.
admin:events_role_add                                >>>>> xxx ...
admin:events_role_change                             >>>>> xxx .>.
admin:events_role_change_kind                        >>>>> 000 .0.
admin:events_role_changelist                         >>>>> xxx ...
admin:events_role_delete                             >>>>> xxx xxx
admin:events_role_history                            >>>>> >>> .>.
admin:events_role_revoke                             >>>>> 000 .0.
admin:index                                          >>>>> ... ...
admin:jsi18n                                         >>>>> ... ...
admin:login                                          L0000 000 000
admin:logout                                         >>>>> >>> >>>
admin:notifications_letter_add                       >>>>> xxx xxx
admin:notifications_letter_cancel                    >>>>> 0x0 .0.
admin:notifications_letter_change                    >>>>> x.x .>.
admin:notifications_letter_changelist                >>>>> x.x ...
admin:notifications_letter_delete                    >>>>> xxx xxx
admin:notifications_letter_history                   >>>>> >.> .>.
admin:notifications_letter_hold                      >>>>> 0x0 .0.
admin:notifications_letter_page                      >>>>> 0.0 .0.
admin:notifications_letter_reach                     >>>>> 0.0 .0.
admin:notifications_letter_release                   >>>>> 0x0 .0.
admin:notifications_letter_send_again                >>>>> 0.0 .0.
admin:password_change                                >>>>> 000 000
admin:password_change_done                           >>>>> 000 000
admin:registrations_correction_accept                >>>>> 0.0 .0.
admin:registrations_correction_add                   >>>>> xxx xxx
admin:registrations_correction_change                >>>>> x.x .>.
admin:registrations_correction_changelist            >>>>> x.x ...
admin:registrations_correction_decline               >>>>> 0.0 .0.
admin:registrations_correction_delete                >>>>> xxx xxx
admin:registrations_correction_history               >>>>> >.> .>.
admin:registrations_delegate_add                     >>>>> xxx xxx
admin:registrations_delegate_approve                 >>>>> x.0 .0.
admin:registrations_delegate_ask                     >>>>> x.0 .0.
admin:registrations_delegate_batch                   >>>>> 0.0 .0.
admin:registrations_delegate_change                  >>>>> ..> .>.
admin:registrations_delegate_change_view             >>>>> 000 .00
admin:registrations_delegate_changelist              >>>>> ... ...
admin:registrations_delegate_decline                 >>>>> x.0 .0.
admin:registrations_delegate_delete                  >>>>> xxx xxx
admin:registrations_delegate_export                  >>>>> ..0 .0.
admin:registrations_delegate_history                 >>>>> x.> .>.
admin:registrations_delegate_keep_view               >>>>> ..0 ...
admin:registrations_delegate_reopen                  >>>>> x.0 .0.
admin:registrations_delegate_remove_view             >>>>> 000 .00
admin:registrations_delegate_send_batch              >>>>> 0>0 >0>
admin:registrations_delegate_undo_batch              >>>>> 0>0 >0>
admin:registrations_delegate_statistics              >>>>> ..0 .0.
admin:registrations_delegate_views                   >>>>> ..0 ...
admin:registrations_delegate_wait_list               >>>>> x.0 .0.
admin:registrations_exemption_add                    >>>>> xxx xxx
admin:registrations_exemption_change                 >>>>> xxx .>.
admin:registrations_exemption_changelist             >>>>> xxx ...
admin:registrations_exemption_delete                 >>>>> xxx xxx
admin:registrations_exemption_history                >>>>> >>> .>.
admin:registrations_exemption_let_in                 >>>>> 000 .0.
admin:registrations_exemption_refuse                 >>>>> 000 .0.
admin:registrations_importrun_add                    >>>>> xxx xxx
admin:registrations_importrun_bring_in               >>>>> 000 .0.
admin:registrations_importrun_change                 >>>>> xxx .>.
admin:registrations_importrun_changelist             >>>>> xxx ...
admin:registrations_importrun_columns                >>>>> 000 .0.
admin:registrations_importrun_delete                 >>>>> xxx xxx
admin:registrations_importrun_history                >>>>> >>> .>.
admin:registrations_importrun_look                   >>>>> 000 .0.
admin:registrations_importrun_stayed_out             >>>>> 000 .0.
admin:registrations_importrun_take_back              >>>>> 000 .0.
admin:registrations_invitation_add                   >>>>> xxx xxx
admin:registrations_invitation_change                >>>>> xxx .>.
admin:registrations_invitation_changelist            >>>>> xxx ...
admin:registrations_invitation_delete                >>>>> xxx xxx
admin:registrations_invitation_history               >>>>> >>> .>.
admin:registrations_message_add                      >>>>> xxx xxx
admin:registrations_message_change                   >>>>> x.x .>.
admin:registrations_message_changelist               >>>>> x.x ...
admin:registrations_message_delete                   >>>>> xxx xxx
admin:registrations_message_history                  >>>>> >.> .>.
admin:registrations_message_look                     >>>>> 0.0 .0.
admin:registrations_message_send                     >>>>> 0.0 .0.
admin:registrations_message_stop                     >>>>> 0.0 .0.
admin:registrations_message_try_out                  >>>>> 0.0 .0.
admin:registrations_message_words                    >>>>> 0.0 .0.
admin:registrations_registration_add                 >>>>> xxx xxx
admin:registrations_registration_assign              >>>>> x.0 .0.
admin:registrations_registration_change              >>>>> ..x .>.
admin:registrations_registration_changelist          >>>>> ..x ...
admin:registrations_registration_delete              >>>>> xxx xxx
admin:registrations_registration_history             >>>>> x.> .>.
admin:registrations_registration_note                >>>>> x.0 .0.
admin:registrations_registration_remove_note         >>>>> x00 .00
admin:registrations_registration_tags                >>>>> x.0 .0.
admin:stakeholders_importrun_add                     >>>>> xxx ...
admin:stakeholders_importrun_bring_in                >>>>> 000 .0.
admin:stakeholders_importrun_change                  >>>>> xxx .>.
admin:stakeholders_importrun_changelist              >>>>> xxx ...
admin:stakeholders_importrun_delete                  >>>>> xxx xxx
admin:stakeholders_importrun_history                 >>>>> >>> .>.
admin:stakeholders_importrun_look                    >>>>> 000 .0.
admin:stakeholders_importrun_rest                    >>>>> 000 .0.
admin:stakeholders_importrun_stayed_out              >>>>> 000 .0.
admin:stakeholders_membership_add                    >>>>> xxx xxx
admin:stakeholders_membership_answer                 >>>>> 000 .0.
admin:stakeholders_membership_change                 >>>>> xxx .>.
admin:stakeholders_membership_changelist             >>>>> xxx ...
admin:stakeholders_membership_delete                 >>>>> xxx xxx
admin:stakeholders_membership_history                >>>>> >>> .>.
admin:stakeholders_membership_lost_factors           >>>>> 000 .0.
admin:stakeholders_membership_lost_mailbox           >>>>> 000 .0.
admin:stakeholders_membership_remove                 >>>>> 000 .0.
admin:stakeholders_organisation_add                  >>>>> xxx xxx
admin:stakeholders_organisation_alike                >>>>> 000 ...
admin:stakeholders_organisation_appoint              >>>>> xx0 .0.
admin:stakeholders_organisation_change               >>>>> ..x .>.
admin:stakeholders_organisation_changelist           >>>>> ..x ...
admin:stakeholders_organisation_correct              >>>>> xx0 .0.
admin:stakeholders_organisation_delete               >>>>> xxx xxx
admin:stakeholders_organisation_history              >>>>> x.> .>.
admin:stakeholders_organisation_merge                >>>>> xx0 .0.
admin:stakeholders_organisation_people_alike         >>>>> xx0 .0.
admin:stakeholders_organisation_undo_merge           >>>>> 000 .0.
admin:stakeholders_representative_add                >>>>> xxx xxx
admin:stakeholders_representative_change             >>>>> xxx .>.
admin:stakeholders_representative_changelist         >>>>> xxx ...
admin:stakeholders_representative_delete             >>>>> xxx xxx
admin:stakeholders_representative_history            >>>>> >>> .>.
admin:stakeholders_representative_merge              >>>>> 000 .0.
admin:view_on_site                                   00000 000 000
events:address                                       L.... ... ...
events:address_code                                  L>>>> >>> >>>
events:follow                                        ..... ... ...
events:follow_confirm                                ..... ... ...
events:follow_process                                ..... ... ...
events:follow_stop                                   ..... ... ...
events:followed                                      L.... ... ...
events:stop                                          ..... ... ...
favicon.ico                                          >>>>> >>> >>>
healthz                                              ..... ... ...
mfa_activate_totp                                    L.... ... ...
mfa_add_webauthn                                     L.... ... ...
mfa_authenticate                                     L>>>> >>> >>>
mfa_deactivate_totp                                  L0000 000 000
mfa_download_recovery_codes                          L0000 000 000
mfa_edit_webauthn                                    L0000 000 000
mfa_generate_recovery_codes                          L.... ... ...
mfa_index                                            L.... ... ...
mfa_list_webauthn                                    L.... ... ...
mfa_login_webauthn                                   L>>>> >>> >>>
mfa_reauthenticate                                   Lxxxx xxx xxx
mfa_reauthenticate_webauthn                          Lxxxx xxx xxx
mfa_remove_webauthn                                  L0000 000 000
mfa_view_recovery_codes                              L0000 000 000
notifications:letter                                 00000 000 000
notifications:mailbox                                00000 000 000
pages:accessibility                                  ..... ... ...
pages:calendar                                       ..... ... ...
pages:calendar_month                                 ..... ... ...
pages:check                                          ..... ... ...
pages:deadlines_ics                                  ..... ... ...
pages:event                                          ..... ... ...
pages:event_ics                                      ..... ... ...
pages:events                                         ..... ... ...
pages:help                                           ..... ... ...
pages:home                                           ..... ... ...
pages:news_atom                                      ..... ... ...
pages:own_ics                                        ..... ... ...
pages:participants                                   ..... ... ...
pages:privacy                                        ..... ... ...
pages:process                                        ..... ... ...
pages:process_atom                                   ..... ... ...
pages:process_ics                                    ..... ... ...
readyz                                               ..... ... ...
registrations:ask_in                                 L0>00 000 000
registrations:check                                  L0.00 000 000
registrations:choose_people                          L0.00 000 000
registrations:colleagues                             L0.00 000 000
registrations:confirm                                ..... ... ...
registrations:confirm_person                         55555 555 555
registrations:correct                                L0.00 000 000
registrations:invitation                             ..... ... ...
registrations:listing                                ..... ... ...
registrations:mine                                   L.... ... ...
registrations:organisation                           L0.00 000 000
registrations:paste                                  L0.00 000 000
registrations:people                                 L0.00 000 000
registrations:person                                 L0.00 000 000
registrations:person_questions                       L0.00 000 000
registrations:questions                              L0.00 000 000
registrations:registration                           L0.00 000 000
registrations:remove_person                          55555 555 555
registrations:replace                                L0.00 000 000
registrations:start                                  L.... ... ...
registrations:withdraw                               L0.00 000 000
registrations:withdraw_person                        L0.00 000 000
stakeholders:answer                                  L0.00 000 000
stakeholders:ask                                     L.>>. ... ...
stakeholders:change                                  L0.00 000 000
stakeholders:find                                    L.... ... ...
stakeholders:invitation                              55555 555 555
stakeholders:leave                                   L0..0 000 000
stakeholders:mine                                    L.... ... ...
stakeholders:organisation                            L0..0 000 000
usersessions_list                                    L.... ... ...
"""

# Addresses that only take what is posted (their rows above say 5).
POSTED = """
accounts:calendar             L>>>> >>> >>>
registrations:confirm_person  L0>00 000 000
registrations:remove_person   L0>00 000 000
stakeholders:invitation       L0>>0 000 000
"""

# Whoever has the link is the person that it is of: it is a secret itself.
SIGNED = {
    "pages:own_ics",
    "registrations:confirm",
    "registrations:listing",
    "registrations:invitation",
}

# What stands in no answer but those to the people named.
EVERYTHING = {"own", "root"}
ORGANISERS = {"reviewer", "clara"}
SECRETS = {
    "Traoré": EVERYTHING | ORGANISERS | {"reader", "door"},
    "Keïta": EVERYTHING | ORGANISERS | {"reader"},
    "aissata@diaspora.example": EVERYTHING | ORGANISERS,
    "moussa@diaspora.example": EVERYTHING | ORGANISERS,
    "wheelchair": EVERYTHING | {"clara"},
    "Hospital train": EVERYTHING | {"clara"},
    "Diarra": EVERYTHING,
    "oumou@diaspora.example": EVERYTHING,
    "ibra@diaspora.example": EVERYTHING | {"clara"},
    "amina@diaspora.example": EVERYTHING | ORGANISERS | {"colleague"},
    "nadia@harbour.example": EVERYTHING | ORGANISERS,
    "Binta": {"clara", "root"},
    "bo@ports.example": {"other", "root"},
    "dina@secretariat.example": {"dina", "root"},
}


REFUSED = {"L", "0", "x"}
NAMELESS = {"admin/": "/admin/nothing/", "favicon.ico": "/favicon.ico"}


class Cast(SimpleNamespace):
    """Whoever and whatever an address may be about."""


@pytest.fixture
def cast(sent, amina, bo, clara, hearing, second, process, diaspora_network, deadline, now) -> Cast:
    other = Process.objects.create(slug="other", prefix="OTH", name_en="Other process")
    elsewhere = an_event(other, "elsewhere", hearing)
    for event in (second, elsewhere):
        deadlines.set_deadline(
            event,
            kind=Deadline.Kind.REGISTRATION,
            closes_at=now + timedelta(days=9),
            by=None,
            now=now - timedelta(days=3),
        )
        schedule.publish(event, by=None, now=now - timedelta(days=3))
    deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=deadline.closes_at + timedelta(days=3),
        by=None,
        now=now,
    )
    draft = intake.begin(second, diaspora_network, by=amina, now=now)
    intake.add_person(draft, Person("Oumou", "Diarra", "oumou@diaspora.example"), by=amina, now=now)
    head, waits, _speaker = sent.delegates.in_order()
    sent.delegates.update(access_needs="A wheelchair")
    decisions.approve(sent, [head], by=clara, now=now)
    head.refresh_from_db()
    hearing.lists_participants = True
    hearing.save(update_fields=["lists_participants"])
    asked = Membership.objects.create(
        user=User.objects.create_user("ibra@diaspora.example"),
        organisation=diaspora_network,
        kind="member",
        state="asked",
        since=now,
    )
    people = {"anonymous": Client(), "other": signed_in(bo), "own": signed_in(amina)}
    for name, state in (("colleague", "active"), ("left", "left")):
        user = User.objects.create_user(f"{name}@diaspora.example", name=name)
        Membership.objects.create(
            user=user, organisation=diaspora_network, kind="member", state=state, since=now
        )
        people[name] = signed_in(user)
    for kind in ("reader", "reviewer", "door"):
        user = User.objects.create_user(f"{kind}@secretariat.example")
        roles.grant(user, on=process, kind=kind, by=None, now=now)
        people[kind] = signed_in(user)
    dina = User.objects.create_user("dina@secretariat.example", name="Dina")
    roles.grant(dina, on=other, by=None, now=now)
    people |= {"clara": signed_in(clara), "dina": signed_in(dina)}
    people["root"] = signed_in(User.objects.create_superuser("root@secretariat.example"))
    assert list(people) == list(PEOPLE)
    calendars.renew(amina)
    invitation = Invitation.objects.create(
        event=hearing,
        email="nadia@harbour.example",
        name="Harbour Union",
        language="en",
        sent_at=now,
    )
    exemption = Exemption.objects.create(
        event=hearing, organisation=diaspora_network, asked_by=amina, asked_at=now, reason="Late."
    )
    correction = Correction.objects.create(
        delegate=head,
        was={"family_name": "Traoré"},
        wished={"family_name": "Traore"},
        reason="As in the passport.",
        asked_by=amina,
        asked_at=now,
    )
    message = Message.objects.create(event=hearing, by=clara, made_at=now)
    question = questions.add(
        hearing,
        asked_of="person",
        kind="choice",
        words={"wording_en": "How do you come?"},
        is_sensitive=True,
        options=["Bus", "Hospital train"],
        by=clara,
        now=now,
    )
    words = {"wording_en": "Who pays?"}
    questions.add(hearing, asked_of="delegation", kind="text", words=words, by=clara, now=now)
    option = question.options.get(name_en="Hospital train")
    given = {question.pk: Said(options=(option.pk,))}
    answering.answer(sent, given, delegate=waits, by=amina, now=now)
    content = "organisation,country,given names\nDiaspora Network,ML,Binta"
    run = importing.read(hearing, "people.csv", content.encode(), by=clara, now=now)
    importing.choose(run, run.columns)
    twin = Organisation.objects.create(name="Diaspora Networks", country="ML")
    plan = merging.look(diaspora_network, twin)
    told = {"staying": plan.sure, "seen": plan.mark, "by": clara, "now": now}
    merge = merging.take_in(diaspora_network, twin, **told)
    things = [
        amina,
        process,
        hearing,
        deadline,
        sent,
        waits,
        waits.representative,
        diaspora_network,
        Membership.objects.get(user=amina),
        Letter.objects.filter(scope=hearing.pk, about=sent.pk).first(),
        Entry.objects.filter(scope=hearing.pk).first(),
        Role.objects.get(user=clara),
        invitation,
        exemption,
        correction,
        message,
        run,
        ImportRun.objects.create(by=clara, at=now, file_name="list.csv"),
    ]
    return Cast(
        people=people,
        things={
            label: thing
            for thing in things
            for label in (thing._meta.model_name, thing._meta.label_lower)
        },
        sent=sent,
        draft=draft,
        head=head,
        asked=asked,
        colleague=Membership.objects.get(user__email="colleague@diaspora.example"),
        follower=Follower.objects.create(
            event=hearing, email="fan@press.example", language="en", asked_at=now
        ),
        view=SavedView.objects.create(
            owner=clara, name="Waiting", query="state=submitted", shared_on=hearing, made_at=now
        ),
        batch=Batch.objects.create(
            event=hearing,
            word="decline",
            by=clara,
            at=now,
            leaves_at=now + Batch.HELD_FOR,
        ),
        note=notes.write(sent, "Ask their embassy.", by=clara, now=now),
        merge=merge,
        option=option,
        kept=KeptPost.objects.create(user=amina, path="/en/", body="", at=now),
        now=now,
    )


def end_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


# What stands in an address, where its parameters alone do not tell.
VALUES: dict[str, Callable[[Cast], list]] = {
    "accounts:kept": lambda c: [c.kept.pk],
    "admin:registrations_delegate_batch": lambda c: [c.batch.pk],
    **{
        f"admin:events_event_{page}_question": lambda c: [
            c.sent.event_id,
            c.option.question_id,
        ]
        for page in ("change", "retire")
    },
    "admin:events_event_add_option": lambda c: [c.sent.event_id, c.option.question_id],
    **{
        f"admin:events_event_{page}_option": lambda c: [
            c.sent.event_id,
            c.option.question_id,
            c.option.pk,
        ]
        for page in ("change", "retire")
    },
    "admin:registrations_delegate_change_view": lambda c: [c.view.pk],
    "admin:registrations_delegate_reopen": lambda c: [c.head.pk],
    "admin:registrations_delegate_remove_view": lambda c: [c.view.pk],
    "admin:registrations_delegate_send_batch": lambda c: [c.batch.pk],
    "admin:registrations_delegate_undo_batch": lambda c: [c.batch.pk],
    "admin:registrations_registration_remove_note": lambda c: [c.sent.pk, c.note.pk],
    "admin:stakeholders_organisation_undo_merge": lambda c: [c.merge.pk],
    "admin:view_on_site": lambda c: [1, 1],
    "events:follow_confirm": lambda c: [mails.follow_token(c.follower)],
    "events:follow_process": lambda c: [c.sent.event.process.slug],
    "events:follow_stop": lambda c: [following.token(c.follower)],
    "events:stop": lambda c: [
        preferences.token("fan@press.example", c.sent.event_id, Kind.REMINDER)
    ],
    "mfa_edit_webauthn": lambda c: [1],
    "mfa_remove_webauthn": lambda c: [1],
    "notifications:letter": lambda c: [c.things["letter"].pk],
    "pages:own_ics": lambda c: [c.things["user"].calendar_secret],
    "pages:calendar_month": lambda c: [c.now.date()],
    "pages:process": lambda c: [c.sent.event.process.slug],
    "pages:process_atom": lambda c: [c.sent.event.process.slug],
    "pages:process_ics": lambda c: [c.sent.event.process.slug],
    "stakeholders:answer": lambda c: [c.sent.organisation_id, c.asked.pk],
    "stakeholders:change": lambda c: [c.sent.organisation_id, c.colleague.pk, "remove"],
    "registrations:check": lambda c: [c.draft.reference],
    "registrations:confirm": lambda c: [end_of(links.confirmation_path(c.head))],
    "registrations:correct": lambda c: [c.sent.reference, c.things["delegate"].pk],
    "registrations:invitation": lambda c: [end_of(links.invitation_path(c.things["invitation"]))],
    "registrations:listing": lambda c: [end_of(links.listing_path(c.head))],
    "registrations:organisation": lambda c: [c.draft.reference],
    "registrations:choose_people": lambda c: [c.draft.reference],
    "registrations:paste": lambda c: [c.draft.reference],
    "registrations:people": lambda c: [c.draft.reference],
    "registrations:remove_person": lambda c: [c.draft.reference, c.draft.delegates.get().pk],
}


def value_of(parameter: str, name: str, cast: Cast) -> object:
    if parameter == "reference":
        return cast.sent.reference
    if parameter == "step":
        return cast.things["deadline"].steps.earliest("amount").pk
    if parameter == "slug":
        return cast.sent.event.slug
    if parameter == "event":
        return cast.sent.event_id
    if name.startswith("admin:") and parameter in {"pk", "object_id"}:
        return cast.things[".".join(name.removeprefix("admin:").split("_")[:2])].pk
    if name.startswith("stakeholders:"):
        others = {"pk": cast.things["organisation"].pk, "person": cast.colleague.pk}
        return others[parameter]
    return {"pk": cast.head.pk, "app_label": "registrations"}[parameter]


def addresses(patterns: list, before: str = "", space: str = "") -> Iterator[tuple[str, list]]:
    """Of each: its name, or the pattern where it has none; and its parameters."""
    for one in patterns:
        pattern = before + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from addresses(one.url_patterns, pattern, inner)
        elif isinstance(one, URLPattern):
            name = space + one.name if one.name else pattern
            yield name.removesuffix("(?P<url>.*)$"), re.findall(r"<(?:\w+:)?(\w+)>", pattern)


def all_addresses() -> dict[str, list]:
    return dict(sorted(addresses(get_resolver().url_patterns)))


def url_of(name: str, cast: Cast) -> str:
    if name in VALUES:
        return reverse(name, args=VALUES[name](cast))
    if name in NAMELESS:
        return NAMELESS[name]
    if "<path:object_id>" in name:
        return f"/{name}".replace(
            "<path:object_id>", str(cast.things[".".join(name.split("/")[1:3])].pk)
        )
    return reverse(name, args=[value_of(each, name, cast) for each in all_addresses()[name]])


def answer(client: Client, method: str, url: str) -> HttpResponse:
    """What this person gets; and what it did is undone."""
    cookies = deepcopy(client.cookies)
    with transaction.atomic():
        response = getattr(client, method)(url)
        response.text = b"".join(response).decode(errors="replace")
        transaction.set_rollback(True)
    client.cookies = cookies
    return response


def letter_of(response: HttpResponse) -> str:
    if response.status_code in (301, 302, 307):
        return "L" if response.url.startswith(reverse("account_login")) else ">"
    return {200: ".", 400: "4", 403: "x", 404: "0", 405: "5"}.get(
        response.status_code, f"[{response.status_code}]"
    )


def rows(table: str) -> dict[str, str]:
    """The letters of each row, by its name."""
    lines = [line.split(maxsplit=1) for line in table.splitlines() if line.strip()]
    assert len({name for name, _letters in lines}) == len(lines)
    return dict(sorted((name, letters) for name, letters in lines))


def said(answers: dict[str, HttpResponse]) -> str:
    letters = "".join(letter_of(response) for response in answers.values())
    return f"{letters[:5]} {letters[5:8]} {letters[8:]}"


def leaks(name: str, url: str, answers: dict[str, HttpResponse], cast: Cast) -> list[tuple]:
    """Who was told what is not theirs. The address that they have typed, which stands in the links
    to other languages, tells them nothing."""
    if name in SIGNED:
        return []
    typed = url.removeprefix("/en")
    secrets = SECRETS | {
        cast.sent.reference: EVERYTHING | ORGANISERS | {"reader"},
        cast.draft.reference: EVERYTHING,
    }
    return [
        (name, who, secret)
        for who, response in answers.items()
        for secret, known_to in secrets.items()
        if who not in known_to
        and secret in unquote(response.text + response.get("Location", "")).replace(typed, "")
    ]


def test_every_address_has_a_row_and_every_row_an_address():
    assert list(rows(TABLE)) == list(all_addresses())
    assert set(rows(POSTED)) == {name for name, letters in rows(TABLE).items() if "5" in letters}


PARTS = ["accounts", "admin:[a-n]", "admin:[o-z]|admin/", "(?!account|admin)"]


@pytest.mark.parametrize("part", PARTS)
def test_who_may_open_what(cast, part):
    expected = {name: row for name, row in rows(TABLE).items() if re.match(part, name)}
    found, leaked = {}, []
    for name in expected:
        url = url_of(name, cast)
        answers = {who: answer(client, "get", url) for who, client in cast.people.items()}
        found[name] = said(answers)
        leaked += leaks(name, url, answers, cast)

    assert found == expected
    assert leaked == []


def test_who_may_post_where_nothing_is_shown(cast):
    found, leaked = {}, []
    for name in rows(POSTED):
        url = url_of(name, cast)
        answers = {who: answer(client, "post", url) for who, client in cast.people.items()}
        found[name] = said(answers)
        leaked += leaks(name, url, answers, cast)

    assert found == rows(POSTED)
    assert leaked == []


@pytest.mark.parametrize("part", PARTS)
def test_who_may_not_open_it_does_not_post_to_it(cast, part):
    """And nobody is told by a refusal what the page would not tell."""
    opened, leaked = [], []
    for name, row in rows(TABLE).items():
        if not re.match(part, name) or name in rows(POSTED):
            continue
        url = url_of(name, cast)
        seen = dict(zip(cast.people, row.replace(" ", ""), strict=True))
        answers = {
            who: answer(cast.people[who], "post", url) for who in seen if seen[who] in REFUSED
        }
        leaked += leaks(name, url, answers, cast)
        opened += [
            (name, who, letter)
            for who, response in answers.items()
            if (letter := letter_of(response)) not in {*REFUSED, "5", seen[who]}
        ]

    assert opened == []
    assert leaked == []
