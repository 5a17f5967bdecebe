"""A mail server that takes letters and writes one line for each, quick enough to be nobody's
bottleneck: python -m bench.sink port log"""

import asyncio
import json
import re
import sys
import time
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

LONGEST = 10_000_000
END = b"\r\n.\r\n"
HEADERS = re.compile(rb"^(message-id|subject):[ \t]*(.*?)\r\n(?![ \t])", re.I | re.M | re.S)
SLOW = "@slow.example"
SLOW_PAUSE = 0.008
OK = "250 OK"
CUT = ""


class Sink:
    """One answer for each recipient and each letter; CUT hangs up without a word."""

    def __init__(self, log: Path) -> None:
        self.log = log.open("a", encoding="utf-8")

    async def recipient(self, to: str) -> str:
        return OK

    async def letter(self, to: str) -> str:
        """Before the answer to a whole letter."""
        if to.endswith(SLOW):
            await asyncio.sleep(SLOW_PAUSE)
        return OK

    def write(self, **line: Any) -> None:
        self.log.write(json.dumps({"at": time.time(), **line}) + "\n")
        self.log.flush()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        to = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            answer = OK
            if verb == b"EHLO":
                answer = "250-sink\r\n250 PIPELINING"
            elif verb == b"RCPT":
                address = line.decode().partition("<")[2].partition(">")[0]
                answer = await self.recipient(address)
                self.tell_refusal(address, answer)
                to = address if answer == OK else ""
            elif verb == b"DATA" and not to:
                answer = "503 nobody to bring it to"
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                answer = await self._take(to, await reader.readuntil(END))
                to = ""
            elif verb == b"QUIT":
                answer = "221 bye"
            if answer == CUT:
                return
            writer.write(f"{answer}\r\n".encode())
            if verb == b"QUIT":
                return

    def tell_refusal(self, to: str, answer: str) -> None:
        if answer != OK:
            self.write(to=to, answer=answer)

    async def _take(self, to: str, content: bytes) -> str:
        answer = await self.letter(to)
        headers = {name.decode().lower(): value for name, value in HEADERS.findall(content)}
        self.write(
            to=to,
            id=headers.get("message-id", b"").decode(),
            subject=_said(headers.get("subject", b"").decode()),
            answer=answer,
        )
        return answer

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self.talk, "127.0.0.1", port, limit=LONGEST)
        await server.serve_forever()


def _said(subject: str) -> str:
    return " ".join(str(make_header(decode_header(subject))).split())


def read(log: Path) -> list[dict[str, Any]]:
    """What was written, but for a line that is just being written."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


if __name__ == "__main__":
    asyncio.run(Sink(Path(sys.argv[2])).serve(int(sys.argv[1])))
