from django.db import migrations


class Migration(migrations.Migration):
    """The table of the throttles' cache, as `createcachetable` would make it."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            create table throttles (
                cache_key varchar(255) primary key,
                value text not null,
                expires timestamptz not null
            );
            create index throttles_expires on throttles (expires);
            """,
            "drop table throttles",
        )
    ]
