import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0006_skipped_reminders"),
    ]

    operations = [
        migrations.CreateModel(
            name="Option",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                ("name_ar", models.CharField(blank=True, max_length=120, verbose_name="choice")),
                (
                    "name_zh_hans",
                    models.CharField(blank=True, max_length=120, verbose_name="choice"),
                ),
                ("name_en", models.CharField(max_length=120, verbose_name="choice")),
                ("name_fr", models.CharField(blank=True, max_length=120, verbose_name="choice")),
                ("name_ru", models.CharField(blank=True, max_length=120, verbose_name="choice")),
                ("name_es", models.CharField(blank=True, max_length=120, verbose_name="choice")),
                (
                    "fixed",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No")],
                        editable=False,
                        max_length=3,
                    ),
                ),
                (
                    "limit",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="how many may choose it"
                    ),
                ),
                (
                    "retired_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="no longer offered since"
                    ),
                ),
            ],
            options={
                "verbose_name": "choice",
                "verbose_name_plural": "choices",
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "asked_of",
                    models.CharField(
                        choices=[
                            ("delegation", "Once for each delegation"),
                            ("person", "Once for each person"),
                        ],
                        max_length=10,
                        verbose_name="asked",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("long_text", "Long text"),
                            ("choice", "One of several choices"),
                            ("choices", "Any of several choices"),
                            ("yes_no", "Yes or no"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("country", "Country"),
                        ],
                        max_length=10,
                        verbose_name="kind of answer",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "wording_ar",
                    models.CharField(blank=True, max_length=300, verbose_name="question"),
                ),
                (
                    "wording_zh_hans",
                    models.CharField(blank=True, max_length=300, verbose_name="question"),
                ),
                ("wording_en", models.CharField(max_length=300, verbose_name="question")),
                (
                    "wording_fr",
                    models.CharField(blank=True, max_length=300, verbose_name="question"),
                ),
                (
                    "wording_ru",
                    models.CharField(blank=True, max_length=300, verbose_name="question"),
                ),
                (
                    "wording_es",
                    models.CharField(blank=True, max_length=300, verbose_name="question"),
                ),
                ("help_ar", models.CharField(blank=True, max_length=500, verbose_name="help")),
                ("help_zh_hans", models.CharField(blank=True, max_length=500, verbose_name="help")),
                ("help_en", models.CharField(blank=True, max_length=500, verbose_name="help")),
                ("help_fr", models.CharField(blank=True, max_length=500, verbose_name="help")),
                ("help_ru", models.CharField(blank=True, max_length=500, verbose_name="help")),
                ("help_es", models.CharField(blank=True, max_length=500, verbose_name="help")),
                (
                    "is_required",
                    models.BooleanField(default=False, verbose_name="must be answered"),
                ),
                ("is_sensitive", models.BooleanField(default=False, verbose_name="sensitive")),
                (
                    "retired_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="no longer asked since"
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="events.event",
                        verbose_name="event",
                    ),
                ),
                (
                    "shown_when",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shows",
                        to="events.option",
                        verbose_name="asked only when this is chosen",
                    ),
                ),
            ],
            options={
                "verbose_name": "question",
                "verbose_name_plural": "questions",
            },
        ),
        migrations.AddField(
            model_name="option",
            name="question",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="options",
                to="events.question",
                verbose_name="question",
            ),
        ),
        migrations.AddConstraint(
            model_name="option",
            constraint=models.UniqueConstraint(
                models.F("question"),
                models.F("name_en"),
                condition=models.Q(("retired_at", None)),
                name="one_choice_of_a_name",
            ),
        ),
    ]
