-- Once, when the volume of the database is new: a role that owns the portal's database and nothing
-- else. The superuser is left without a password: only this machine's socket lets it in.
\getenv password DATABASE_PASSWORD
create role portal login password :'password';
create database portal owner portal;
alter role postgres password null;
