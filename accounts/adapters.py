from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class PortalAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """There is one door (accounts.forms.DoorForm), for newcomers too."""
        return False
