"""What somebody sent when their session had ended, kept until they are back."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import QueryDict

from accounts.models import KeptPost, User

KEPT_FOR = timedelta(hours=24)
LARGEST = 1024 * 1024
MOST = 20
"""Posts of one person: an older one is forgotten for a newer one."""
LONGEST_PATH = KeptPost._meta.get_field("path").max_length or 0
TOKEN = "csrfmiddlewaretoken"  # noqa: S105
WHOSE = "whose"


def sign(user: User) -> str:
    """For a form that is shown to this person."""
    return _signer().sign(str(user.pk))


def owner(signed: str) -> User | None:
    """To whom the form was shown, while a session of theirs could have lasted."""
    lasts = timedelta(seconds=settings.SESSION_COOKIE_AGE) + KEPT_FOR
    try:
        pk = _signer().unsign(signed, max_age=lasts)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=pk, is_active=True).first()


def keep(user: User, path: str, body: QueryDict, *, now: datetime) -> KeptPost | None:
    """Nothing where it is more than we keep."""
    answers = body.copy()
    for name in (TOKEN, WHOSE):
        answers.pop(name, None)
    written = answers.urlencode()
    if len(written) > LARGEST or len(path) > LONGEST_PATH:
        return None
    own = KeptPost.objects.filter(user=user)
    newest = list(own.order_by("-at").values_list("pk", flat=True)[: MOST - 1])
    own.exclude(pk__in=newest).delete()
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


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="accounts.kept")
