from django.apps import AppConfig


class OpsDeskConfig(AppConfig):
    """The shell itself: commands, templates tags and the Celery app, which every process that publishes
    needs."""

    name = "opsdesk"

    def ready(self) -> None:
        import opsdesk.celery  # noqa: F401 - makes it the current app, so that .delay() finds the broker
