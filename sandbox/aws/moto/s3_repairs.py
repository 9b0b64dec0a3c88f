"""Conditional writes that hold under a race, bucket policies left to the gate, log delivery that reads them whole."""

import json
import threading
from types import SimpleNamespace

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

writes = threading.RLock()


def conditional_writes_are_atomic():
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: of racing conditional writes one succeeds. moto
    checks and then writes, in a thread a request; epoch, lease and journal stand on this."""
    original = S3Response.put_object

    def put_object(self):
        if not (self.headers.get("If-Match") or self.headers.get("If-None-Match")):
            return original(self)
        # The body is read before the lock is taken: a slow client must not hold up the others.
        _ = self.body
        with writes:
            return original(self)

    S3Response.put_object = put_object


def policies_are_the_gates():
    """moto evaluates bucket policies without their conditions, so "deny unless TLS" denies everything. The gate evaluates them whole,
    before a request comes here."""
    FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL


def log_delivery_reads_any_principal():
    """A statement may be for everybody ("Principal": "*"); moto expected each to have a dictionary there, and answered 500."""
    permitted = FakeBucket._log_permissions_enabled_policy

    def by_services_alone(target_bucket, target_prefix):
        document = json.loads(target_bucket.policy or b'{"Statement": []}')
        document["Statement"] = [each for each in document["Statement"] if isinstance(each.get("Principal", {}), dict)]
        view = SimpleNamespace(policy=json.dumps(document).encode(), partition=target_bucket.partition, name=target_bucket.name)
        return permitted(view, target_prefix)

    FakeBucket._log_permissions_enabled_policy = staticmethod(by_services_alone)


def apply():
    conditional_writes_are_atomic()
    policies_are_the_gates()
    log_delivery_reads_any_principal()
