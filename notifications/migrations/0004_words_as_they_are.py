from django.db import migrations

WORDS = ("text", "html")


def store(how: str) -> str:
    changes = ", ".join(f"alter column {column} set storage {how}" for column in WORDS)
    return f"alter table notifications_letter {changes}"


class Migration(migrations.Migration):
    """Words of a few thousand characters are not worth compressing: it costs more time than all
    else that the database does with a letter, and saves hardly any room."""

    dependencies = [
        ("notifications", "0003_expiring"),
    ]

    operations = [
        migrations.RunSQL(store("external"), store("extended")),
    ]
