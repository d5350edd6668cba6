"""Before a request is read: a body of more than 1 MB is refused, and an escaped slash stays part of an id."""

from __future__ import annotations

from urllib.parse import unquote

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1 << 20
SLASH = "\ue000"
"""Stands for an escaped slash (%2F) in a path until the path is divided; of Unicode's private characters."""


class EscapedSlashes:
    """ASGI middleware: the path arrives with `SLASH` for each %2F. Otherwise it would divide an id in two."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the path with its escaped slashes marked."""
        raw = scope.get("raw_path") or b""
        if b"%2f" in raw.lower():
            path = raw.split(b"?")[0].decode("ascii").replace("%2f", "%2F").replace("%2F", SLASH)
            scope = {**scope, "path": unquote(path)}
        await self.app(scope, receive, send)


class BodyLimit:
    """ASGI middleware: 413 for a body that says it is too large or grows so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:  # at most 1 MB is held, and FastAPI would hold it, too
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                refusal = JSONResponse({"detail": "The body is larger than 1 MB: send fewer items."}, status_code=413)
                await refusal(scope, receive, send)
                return
        sent = False

        async def whole() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, whole, send)
