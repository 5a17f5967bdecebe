import pytest
from django.test import Client

from registrations.models import Registration
from tests.notifications.conftest import sink

__all__ = ["sink"]


@pytest.fixture
def at_desk(client, amina) -> Client:
    """Amina, signed in."""
    client.force_login(amina)
    return client


@pytest.fixture
def elsewhere(bo) -> Client:
    """Bo, signed in at his own machine."""
    client = Client()
    client.force_login(bo)
    return client


@pytest.fixture
def page(draft) -> str:
    """Where Amina's registration lives."""
    return f"/en/registrations/{Registration.objects.get().reference}/"
