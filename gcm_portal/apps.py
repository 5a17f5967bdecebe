from django.apps import AppConfig


class RoofConfig(AppConfig):
    name = "gcm_portal"

    def ready(self) -> None:
        from gcm_portal import checks  # noqa: F401 (registers them)
