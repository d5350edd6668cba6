"""The command serve: a trained model over HTTP, by FastAPI and uvicorn."""

from __future__ import annotations

import ipaddress
import logging
import socket
from contextlib import suppress

import click

from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.recommending.files.commands import CONTEXT, answers, run_argument, trust_option


@click.command(context_settings=CONTEXT)
@run_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; the default: this machine.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Of one answer's arithmetic.")
@trust_option
@answers
def serve(run: str, host: str, port: int, threads: int, trust: bool) -> None:
    """Answer over HTTP from a trained model (extra: serve). RUN as in `recommend`.

    \b
    recbole-alibaba serve latest
    curl localhost:8000/recommend/USER?k=5
    curl localhost:8000/recommend -H 'content-type: application/json' -d '{"items": ["ITEM", "ITEM"]}'
    curl localhost:8000/similar/ITEM
    curl localhost:8000/explain/USER/ITEM

    What can be asked is described at /docs. There is no authentication: keep it on this machine or behind a proxy.
    """
    try:
        import uvicorn

        from recbole_alibaba.serving.app import make_app
    except ModuleNotFoundError as error:
        raise BadInput(f'{error.name} is missing: pip install "recbole-alibaba[serve]".') from error
    import torch

    from recbole_alibaba.recommending import model as recommending
    from recbole_alibaba.recommending.load import load

    logging.getLogger(recommending.__name__).setLevel(logging.ERROR)  # each answer names what it left out
    listening = _listen(host, port)
    torch.set_num_threads(threads)
    with listening:
        model = load(run, trust)
        model.recommend([model.users.texts[1]], 1)  # what is computed once is computed now
        address, number = listening.getsockname()[:2]
        click.echo(f"{model!r}\nhttp://{f'[{address}]' if ':' in address else address}:{number}/docs  (Ctrl-C ends)")
        if not ipaddress.ip_address(address).is_loopback:
            click.echo(f"Warning: {address} can be reached from other machines, and nobody has to log in.", err=True)
        config = uvicorn.Config(make_app(model), log_level="warning", access_log=False)
        with suppress(KeyboardInterrupt):  # uvicorn raises it again after it has answered the last requests
            uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens, so that a port in use is known before the model is read."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        raise BadInput(
            f"{host}, port {port}: {error.strerror or error}. Choose another --port (0 takes a free one) or --host."
        ) from error
    return listening
