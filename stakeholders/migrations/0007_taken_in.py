import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stakeholders", "0006_long_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="merged_into",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stakeholders.organisation",
            ),
        ),
        migrations.AddField(
            model_name="representative",
            name="merged_into",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stakeholders.representative",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="representative",
            name="one_entry_per_person",
        ),
        migrations.AddConstraint(
            model_name="representative",
            constraint=models.UniqueConstraint(
                condition=models.Q(("merged_into", None)),
                fields=("organisation", "given_names", "family_name", "email"),
                name="one_entry_per_person",
            ),
        ),
    ]
