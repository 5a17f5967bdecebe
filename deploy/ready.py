"""Whether the web process of this container can serve: the health check of Dockerfile and compose.

Plain Python: it runs every few seconds, and Django alone would take longer than the answer."""

import os
import sys
import urllib.request
from urllib.parse import urlsplit


def is_ready(base_url: str, port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/readyz", headers={"Host": urlsplit(base_url).netloc}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (our own address)
            return answer.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    sys.exit(not is_ready(os.environ["BASE_URL"], port))
