from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_kept_posts_and_tries"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="neutral_subjects",
            field=models.BooleanField(default=False, verbose_name="neutral subjects of letters"),
        ),
        migrations.AddField(
            model_name="user",
            name="calendar_secret",
            field=models.CharField(blank=True, default="", editable=False, max_length=43),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("calendar_secret", ""), _negated=True),
                fields=("calendar_secret",),
                name="one_owner_per_calendar",
            ),
        ),
    ]
