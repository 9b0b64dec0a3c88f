"""Conditional writes that hold under a race, and bucket policies left to the gate."""

import threading

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


def apply():
    conditional_writes_are_atomic()
    policies_are_the_gates()
