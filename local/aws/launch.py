"""Starts the local AWS: ministack, with the gaps that this product would fall into closed from outside.

    GATEWAY_PORT=4566 API_PORT=8080 python local/aws/launch.py

On GATEWAY_PORT answer the AWS services; on API_PORT the one HTTP API that was deployed, at its root.
"""

import asyncio
import os

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app

import decimals
import http_api
import invocations
import keeping
import mappings
import output
import pace
import streams


def main():
    for shim in (decimals, pace, http_api, output, invocations, streams, mappings, keeping):
        shim.install()
    host, port, api_port = os.environ["BIND_HOST"], os.environ["GATEWAY_PORT"], os.environ.get("API_PORT")
    config = Config()
    config.bind = [f"{host}:{port}"] + ([f"{host}:{api_port}"] if api_port else [])
    config.keep_alive_timeout = 75
    config.keep_alive_max_requests = 1_000_000_000  # at its thousandth an answer may be lost after the commit
    config.graceful_timeout = 1
    asyncio.run(serve(http_api.at_its_own_port(app, int(api_port)) if api_port else app, config))


if __name__ == "__main__":
    main()
