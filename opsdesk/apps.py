from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class OpsDeskConfig(AppConfig):
    """The shell itself: commands, templates tags and the Celery app, which every process that publishes
    needs."""

    name = "opsdesk"

    def ready(self) -> None:
        import opsdesk.celery  # noqa: F401 - makes it the current app, so that .delay() finds the broker


class SetupAdminConfig(AdminConfig):
    """Django's admin under /admin/, let in by role instead of by a flag."""

    default_site = "plant.admin_site.SetupSite"
