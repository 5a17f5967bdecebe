from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0004_roles_and_listing"),
    ]

    operations = [
        migrations.AddField(
            model_name="follower",
            name="wants_reminders",
            field=models.BooleanField(
                default=True, verbose_name="wants to hear that it closes soon"
            ),
        ),
        migrations.AddField(
            model_name="follower",
            name="wants_changes",
            field=models.BooleanField(default=True, verbose_name="wants to hear of changes"),
        ),
        migrations.AddField(
            model_name="follower",
            name="wants_news",
            field=models.BooleanField(default=True, verbose_name="wants to hear that it opens"),
        ),
    ]
