"""Answers as DataHub's metadata service (GMS) does, on loopback.

    python gms-stand-in.py --took took.ndjson [--port 0] [--token TOKEN] [--count-only]

Prints its address when it listens. Every URN is parsed and every aspect read by DataHub's own
classes (see validate.py): for one that they refuse, the whole request is answered with 422 and
nothing of it is taken. What is taken stands in the file, a proposal a line, before 200 is answered.

With --count-only nothing is parsed by those classes and nothing kept: for measuring clients.

Faults, by `POST /control` with JSON, from the next request on: `{"rates": {"503": 0.1, "429": 0.1,
"drop": 0.1, "take-and-drop": 0.1}, "retryAfter": 1, "delayMs": 20, "seed": 7}`. `GET /control`
says how many requests with proposals there were, on how many connections that are open there were
some, how many proposals were taken, and what each fault did.
"""

import argparse
import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = {
    "noCode": "true",
    "retention": "true",
    "statefulIngestionCapable": True,
    "supportsImpactAnalysis": True,
    "patchCapable": True,
    "telemetry": {"enabledCli": False, "enabledIngestion": False},
    "datahub": {"serverType": "stand-in"},
    "versions": {"acryldata/datahub": {"version": "v1.2.0", "commit": "0" * 40}},
}
EXCEPTION = "com.linkedin.restli.server.RestLiServiceException"
CONTENT_TYPES = {"UPSERT": "application/json", "PATCH": "application/json-patch+json"}
MAX_BODY_BYTES = 16_000_000


class State:
    def __init__(self, took, token, count_only):
        self.took, self.token, self.count_only = took, token, count_only
        self.lock = threading.Lock()
        self.random = random.Random(1)
        self.rates, self.retry_after, self.delay_ms = {}, 1, 0
        self.counts = {"requests": 0, "connections": 0, "proposals": 0, "refused": 0, "bytes": 0}

    def control(self, wanted):
        with self.lock:
            self.rates = wanted.get("rates", self.rates)
            self.retry_after = wanted.get("retryAfter", self.retry_after)
            self.delay_ms = wanted.get("delayMs", self.delay_ms)
            if "seed" in wanted:
                self.random = random.Random(wanted["seed"])

    def fault(self):
        with self.lock:
            draw = self.random.random()
            for name, rate in self.rates.items():
                draw -= rate
                if draw < 0:
                    self.counts[name] = self.counts.get(name, 0) + 1
                    return name
        return None

    def count(self, **amounts):
        with self.lock:
            for name, amount in amounts.items():
                self.counts[name] += amount

    def take(self, proposals):
        lines = "".join(
            json.dumps(proposal, ensure_ascii=False, separators=(",", ":")) + "\n"
            for proposal in proposals
        )
        with self.lock:
            self.took.write(lines.encode())
            self.took.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: State
    brings_proposals = False

    def handle(self):
        # Ends when the client has closed the connection and all that it had sent was answered.
        try:
            super().handle()
        finally:
            if self.brings_proposals:
                self.state.count(connections=-1)

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=None):
        content = json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
        lines += ["Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        # In one piece, or the client's delayed acknowledgement makes every answer 40 ms late.
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + content)

    def refuse(self, status, message):
        self.answer(status, {"status": status, "message": message, "exceptionClass": EXCEPTION})

    def do_GET(self):
        if self.path == "/config":
            self.answer(200, CONFIG)
        elif self.path == "/control":
            self.answer(200, self.state.counts)
        elif self.is_let_in():
            self.refuse(404, "not found")

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.path == "/control":
            self.state.control(json.loads(body))
            self.answer(200, {})
        elif not self.is_let_in():
            return
        elif self.path.startswith("/aspects?action=ingestProposal"):
            self.ingest(body)
        else:
            self.refuse(404, "No root resource defined for path")

    def is_let_in(self):
        token = self.state.token
        if token is None or self.headers.get("Authorization") == f"Bearer {token}":
            return True
        self.answer(401, {"message": "Unauthorized to perform this action"})
        return False

    def ingest(self, body):
        state = self.state
        if not self.brings_proposals:
            self.brings_proposals = True
            state.count(connections=1)
        state.count(requests=1, bytes=len(body))
        fault = state.fault()
        if state.delay_ms:
            time.sleep(state.delay_ms / 1000)
        if fault == "drop":
            self.drop()
            return
        if fault is not None and fault.isdigit():
            headers = {"Retry-After": state.retry_after} if fault == "429" else {}
            self.answer(int(fault), {"message": "injected"}, headers)
            return
        if len(body) > MAX_BODY_BYTES:
            self.refuse(413, "request too large")
            return
        if self.headers.get("X-RestLi-Protocol-Version") != "2.0.0":
            self.refuse(400, "X-RestLi-Protocol-Version is missing")
            return
        request = json.loads(body)
        entries = request["proposals"] if "proposals" in request else [request["proposal"]]
        if not state.count_only:
            read = [readable(entry) for entry in entries]
            problem = next((each for each in map(problem_of, read) if each), None)
            if problem is not None:
                state.count(refused=1)
                self.refuse(422, problem)
                return
            state.take(read)
        state.count(proposals=len(entries))
        if fault == "take-and-drop":
            self.drop()
        else:
            self.answer(200, {"value": "success"})

    def drop(self):
        self.close_connection = True


def readable(entry):
    """As in a file: with the aspect as JSON instead of as text."""
    aspect = entry["aspect"]
    if aspect["contentType"] != CONTENT_TYPES[entry["changeType"]]:
        raise ValueError(aspect["contentType"])
    return {**entry, "aspect": {"json": json.loads(aspect["value"])}}


def problem_of(proposal):
    from validate import check, check_patch

    try:
        judge = check_patch if proposal["changeType"] == "PATCH" else check
        problem = next(judge(proposal), None)
    except Exception as error:  # a URN that can't be taken apart at all
        problem = repr(error)
    if problem is None:
        return None
    return f"Failed to validate {proposal['entityUrn']} {proposal['aspectName']}: {problem}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--took", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token")
    parser.add_argument("--count-only", action="store_true")
    options = parser.parse_args()
    if not options.count_only:
        import validate  # noqa: F401  takes a second: not in the first request
    with open(options.took, "ab") as took:
        Handler.state = State(took, options.token, options.count_only)
        server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
        server.daemon_threads = True
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
