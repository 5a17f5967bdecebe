# One image for web, worker, beat and migrate. By version here; docs/production.md says how to name
# it by digest as well.
ARG PYTHON=python:3.11.15-slim-trixie

FROM ${PYTHON} AS build
RUN python -m venv --without-pip /srv/venv
COPY requirements.txt /tmp/
RUN pip --python /srv/venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: -r /tmp/requirements.txt
WORKDIR /srv/portal
COPY . .
# The settings ask for these four; nobody connects, and nothing of them is kept.
RUN export PATH="/srv/venv/bin:$PATH" PORTAL_VAR=/srv/portal/var \
    SECRET_KEY=build BASE_URL=http://127.0.0.1 \
    DATABASE_URL=postgresql://nowhere/portal REDIS_URL=redis://nowhere \
    && python -m launcher.catalogues compile \
    && python manage.py collectstatic --noinput --verbosity 0 \
    && rm -r launcher requirements.txt \
    && python -m compileall -q .

FROM ${PYTHON}
RUN useradd --user-group --uid 10001 --no-create-home --shell /usr/sbin/nologin portal
COPY --from=build /srv /srv
ENV PATH=/srv/venv/bin:$PATH PORTAL_VAR=/srv/portal/var PYTHONUNBUFFERED=1
WORKDIR /srv/portal
USER portal
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s CMD ["python", "deploy/ready.py"]
CMD ["gunicorn", "gcm_portal.wsgi", "--bind", "0.0.0.0:8000"]
