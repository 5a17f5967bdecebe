"""What somebody sent when their session had ended, kept until they are back."""

from datetime import datetime, timedelta
from uuid import UUID

from django.http import QueryDict

from accounts.models import KeptPost, User

KEPT_FOR = timedelta(hours=24)
LARGEST = 1024 * 1024
LONGEST_PATH = KeptPost._meta.get_field("path").max_length or 0
TOKEN = "csrfmiddlewaretoken"  # noqa: S105


def keep(user: User, path: str, body: QueryDict, *, now: datetime) -> KeptPost | None:
    """Nothing where it is more than we keep."""
    answers = body.copy()
    answers.pop(TOKEN, None)
    written = answers.urlencode()
    if len(written) > LARGEST or len(path) > LONGEST_PATH:
        return None
    return KeptPost.objects.create(user=user, path=path, body=written, at=now)


def find(user: User, pk: UUID, *, now: datetime) -> KeptPost | None:
    """Only one's own, and for a day."""
    return KeptPost.objects.filter(user=user, pk=pk, at__gt=now - KEPT_FOR).first()


def answers(post: KeptPost) -> list[tuple[str, str]]:
    """Each name with each of its values, as they were sent."""
    sent = QueryDict(post.body)
    return [(name, value) for name, values in sent.lists() for value in values]


def take(user: User, pk: UUID, *, now: datetime) -> KeptPost | None:
    """Find it and forget it: it goes on its way once."""
    post = find(user, pk, now=now)
    if post is None:
        return None
    deleted, _by_model = KeptPost.objects.filter(pk=post.pk).delete()
    return post if deleted else None


def sweep(*, now: datetime) -> int:
    deleted, _by_model = KeptPost.objects.filter(at__lte=now - KEPT_FOR).delete()
    return deleted
