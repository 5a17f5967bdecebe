"""Looks at two pages every tenth of a second, whatever happens meanwhile.
A process of its own: python -m chaos.watch < order"""

import http.client
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

EVERY = 0.1
PATIENCE = 20
EYES = 120


def look(port: int, path: str) -> dict[str, Any]:
    """Status 0: no answer, and why."""
    began = time.time()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    status, error = 0, ""
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, http.client.HTTPException) as failure:
        error = type(failure).__name__
    finally:
        connection.close()
    took = time.time() - began
    return {"path": path, "began": began, "took": took, "status": status, "error": error}


def watch(order: dict[str, Any]) -> None:
    lock = threading.Lock()
    with (
        Path(order["evidence"]).open("a", encoding="utf-8") as file,
        ThreadPoolExecutor(EYES) as eyes,
    ):

        def note(path: str) -> None:
            line = json.dumps(look(order["port"], path))
            with lock:
                file.write(line + "\n")

        while time.time() < order["until"]:
            for path in order["paths"]:
                eyes.submit(note, path)
            time.sleep(EVERY)


if __name__ == "__main__":
    watch(json.load(sys.stdin))
