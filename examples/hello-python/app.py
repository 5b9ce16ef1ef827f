"""Answers every request with a greeting; the name comes from the path, the greeting from a variable."""

from urllib.parse import unquote, urlsplit

from spin_sdk import variables
from spin_sdk.http import IncomingHandler as Handler
from spin_sdk.http import Request, Response


class IncomingHandler(Handler):
    def handle_request(self, request: Request) -> Response:
        name = unquote(urlsplit(request.uri).path).strip("/") or "World"
        body = f"{variables.get('greeting')}, {name}!\n"
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, body.encode())
