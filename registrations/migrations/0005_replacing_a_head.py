from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registrations", "0004_seats_and_invitations"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="delegate",
            name="one_head_of_delegation",
        ),
        migrations.AddConstraint(
            model_name="delegate",
            constraint=models.UniqueConstraint(
                models.F("registration"),
                condition=models.Q(
                    ("role", "head"),
                    models.Q(
                        ("state__in", ["declined", "declined_by_delegate", "lapsed", "replaced"]),
                        _negated=True,
                    ),
                    models.Q(
                        ("replaces__isnull", False),
                        ("state__in", ["submitted", "more_information", "wait_listed"]),
                        _negated=True,
                    ),
                ),
                name="one_head_of_delegation",
            ),
        ),
    ]
