from django.db import migrations

REFUSE = """
create function audit_entry_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'Entries of the audit trail can not be changed or deleted.'
        using errcode = 'restrict_violation';
end
$$;
create trigger audit_entry_is_append_only
    before update or delete on audit_entry
    for each row execute function audit_entry_is_append_only();
"""
ALLOW = """
drop trigger audit_entry_is_append_only on audit_entry;
drop function audit_entry_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
