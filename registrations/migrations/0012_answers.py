import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0007_questions"),
        ("registrations", "0011_notes_and_tags"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Answer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField(blank=True, max_length=4000, verbose_name="answer")),
                (
                    "options",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("asked_as", models.TextField(verbose_name="asked as")),
                (
                    "chosen_as",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("answered_at", models.DateTimeField(verbose_name="answered")),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "delegate",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="registrations.delegate",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="events.question",
                        verbose_name="question",
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="registrations.registration",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer",
                "verbose_name_plural": "answers",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["options"], name="answers_by_option"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("question"),
                        models.F("delegate"),
                        condition=models.Q(("delegate__isnull", False)),
                        name="one_answer_of_a_person",
                    ),
                    models.UniqueConstraint(
                        models.F("question"),
                        models.F("registration"),
                        condition=models.Q(("delegate", None)),
                        name="one_answer_of_a_delegation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("text", ""), _negated=True),
                            models.Q(("options", []), _negated=True),
                            _connector="OR",
                        ),
                        name="answered_with_something",
                    ),
                ],
            },
        ),
    ]
