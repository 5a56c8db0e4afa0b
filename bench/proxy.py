#!/usr/bin/env python3
"""A reverse proxy for the AWS APIs that counts calls by operation, adds latency and breaks things on purpose.

    proxy.py --port PORT --upstream PORT

Control, in JSON: GET /_proxy/stats   POST /_proxy/reset (counters alone)   POST /_proxy/config?latency_ms=30&...
  latency_ms   added to each call, half before the upstream answers it and half after
  throttle     share of calls answered with a throttling error, without reaching the upstream
  fault        share answered with a 500, without reaching the upstream
  reset        share whose connection is cut before it reaches the upstream
  lose         share carried out upstream whose answer is then lost
  only         a regular expression: nothing happens to other calls than those whose `operation path` it is found in
  seed         the fate of an operation's k-th call follows from (seed, operation, k)
Half of the latency comes after the upstream call, so a client that is killed can leave a call behind that was carried
out and never answered, as with a real region.
"""
import argparse
import asyncio
import json
import random
import re
import time
from collections import Counter
from urllib.parse import parse_qs, parse_qsl, urlsplit

DEFAULTS = {"latency_ms": 0.0, "throttle": 0.0, "fault": 0.0, "reset": 0.0, "lose": 0.0, "only": "", "seed": 1}
FATES = ("throttle", "fault", "reset", "lose")
LIMIT = 1 << 24


class Counters:
    def __init__(self):
        self.calls, self.injected = Counter(), Counter()
        self.in_flight = self.most_in_flight = 0
        self.cpu_at_start = time.process_time()

    def shown(self):
        return {"calls": sum(self.calls.values()), "by_operation": dict(self.calls.most_common()),
                "injected": dict(self.injected), "most_in_flight": self.most_in_flight,
                "proxy_cpu_s": round(time.process_time() - self.cpu_at_start, 4)}


class Proxy:
    def __init__(self, upstream):
        self.upstream = upstream
        self.config = dict(DEFAULTS)
        self.counters = Counters()

    async def serve(self, reader, writer):
        """All messages of one client connection."""
        try:
            while (message := await read_message(reader)) is not None:
                if b" /_proxy/" in message[0]:
                    writer.write(self.control(message[0]))
                elif (answer := await self.carry(message)) is None:
                    writer.transport.abort()
                    return
                else:
                    writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def carry(self, message):
        """The answer to one API call, or None when the connection has to break."""
        start, headers, head, body = message
        counters, operation = self.counters, operation_of(start, headers, body)
        counters.calls[operation] += 1
        concerned = re.search(self.config["only"], f"{operation} {path_of(start)}")
        fate = self.fate(operation, counters.calls[operation]) if concerned else None
        if fate:
            counters.injected[fate] += 1
        counters.in_flight += 1
        counters.most_in_flight = max(counters.most_in_flight, counters.in_flight)
        try:
            await asyncio.sleep(self.config["latency_ms"] / 2000)
            answer = {"throttle": error(operation, 400, "ThrottlingException", "Rate exceeded"),
                      "fault": error(operation, 500, "InternalFailure", "injected")}.get(fate)
            if fate in (None, "lose"):
                answer = await self.forward(head, body)
            await asyncio.sleep(self.config["latency_ms"] / 2000)
            return None if fate in ("reset", "lose") else answer
        finally:
            counters.in_flight -= 1

    def fate(self, operation, k):
        drawn = random.Random(f"{self.config['seed']}/{operation}/{k}").random()
        for what in FATES:
            if drawn < self.config[what]:
                return what
            drawn -= self.config[what]
        return None

    async def forward(self, head, body):
        """One call on a connection of its own: moto's server never keeps one alive."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream, limit=LIMIT)
        try:
            writer.write(head + body)
            message = await read_message(reader, bodiless=head.startswith(b"HEAD "))
        finally:
            writer.close()
        if message is None:
            return error("", 503, "ServiceUnavailable", "the upstream closed the connection")
        start, headers, _, answer = message
        kept = [name + b": " + value for name, value in headers.items() if name not in (b"connection", b"content-length")]
        length = headers.get(b"content-length", b"0") if head.startswith(b"HEAD ") else b"%d" % len(answer)
        return b"\r\n".join([start, *kept, b"content-length: " + length]) + b"\r\n\r\n" + answer

    def control(self, start):
        url = urlsplit(start.split()[1].decode())
        shown = {}
        if url.path == "/_proxy/config":
            self.config.update({k: type(DEFAULTS[k])(v) for k, v in parse_qsl(url.query)})
            shown = self.config
        elif url.path == "/_proxy/reset":
            in_flight, self.counters = self.counters.in_flight, Counters()
            self.counters.in_flight = in_flight
        else:
            shown = self.counters.shown()
        return response(200, "application/json", json.dumps(shown))


async def read_message(reader, bodiless=False):
    """(start line, headers by lower-case name, raw head, body), or None at the end of the stream. `bodiless`: it answers a
    HEAD, so that the length it tells is that of something else."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    start, *lines = head[:-4].split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if b"chunked" in headers.get(b"transfer-encoding", b""):
        raise ConnectionError("chunked bodies are not supported")
    length = b"0" if bodiless else headers.get(b"content-length")
    until_closed = length is None and start.startswith(b"HTTP/")
    return start, headers, head, await (reader.read(-1) if until_closed else reader.readexactly(int(length or 0)))


def path_of(start):
    return urlsplit(start.split()[1].decode("latin1")).path


def operation_of(start, headers, body):
    """`service.Operation`, from the target header (JSON protocols), the form field (query protocol), or for an object of S3
    the method."""
    target = headers.get(b"x-amz-target")
    if target:
        service, _, operation = target.decode().partition(".")
        return ("kms." if service.startswith("Trent") else "dynamodb.") + operation
    if b"Action=" in body:
        form = parse_qs(body.decode("latin1"))
        service = {"2010-05-08": "iam.", "2011-06-15": "sts."}.get(form.get("Version", [""])[0], "query.")
        return service + form["Action"][0]
    on_object = path_of(start).count("/") > 1
    return {b"PUT": "s3.PutObject", b"GET": "s3.GetObject", b"DELETE": "s3.DeleteObject"}.get(
        start.split()[0] if on_object else b"", "other")


def error(operation, status, code, message):
    if operation.startswith(("iam.", "sts.")):
        code = "Throttling" if code == "ThrottlingException" else code
        kind = "Sender" if status < 500 else "Receiver"
        return response(status, "text/xml", f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>"
                        f"{message}</Message></Error><RequestId>proxy</RequestId></ErrorResponse>")
    return response(status, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}))


def response(status, kind, body):
    return (f"HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\nx-amzn-requestid: proxy\r\n"
            f"content-length: {len(body.encode())}\r\n\r\n{body}").encode()


async def main(port, upstream):
    server = await asyncio.start_server(Proxy(upstream).serve, "127.0.0.1", port, limit=LIMIT, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", type=int, required=True)
    a = parser.parse_args()
    try:
        asyncio.run(main(a.port, a.upstream))
    except KeyboardInterrupt:
        pass
