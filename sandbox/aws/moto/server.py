"""The account stand-in: moto's server with the repairs that two regions need.

    python sandbox/aws/moto/server.py -H 127.0.0.1 -p 5000

Each module beside this one repairs one service, and says what AWS does and what moto did instead. The private paths under
/_sandbox/ are the insides of S3's replication: only the replicator, which is part of S3 here, asks for them; the gate refuses them.
"""

import argparse
import json
import logging
import signal
import sys

import ec2_repairs
import kms_repairs
import route53_repairs
import s3_lock_repairs
import s3_replication
import s3_repairs
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple


def with_private_paths(application):
    """Answers /_sandbox/replication itself and hands everything else to moto."""

    def answer(environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/_sandbox/"):
            return application(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length) or b"{}")
        try:
            status, document = 200, s3_replication.answer(environ["REQUEST_METHOD"], path, body)
        except KeyError as missing:
            status, document = 404, {"error": f"no such thing: {missing}"}
        text = json.dumps(document).encode()
        start_response(f"{status} -", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-H", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=5000)
    arguments = parser.parse_args()
    for repairs in (ec2_repairs, kms_repairs, route53_repairs, s3_repairs, s3_lock_repairs, s3_replication):
        repairs.apply()
    # A supervisor ends its daemons with SIGTERM; python would die of it without flushing its log.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # The gate's audit is the record of requests; a line each here would only cost time.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = with_private_paths(DomainDispatcherApplication(create_backend_app))
    run_simple(arguments.host, arguments.port, application, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
