"""Object lock.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html: a retention can be lengthened and never shortened (in
governance mode only with the bypass header); the bucket's default applies to every new version, multipart uploads included, and can be
changed on a bucket that holds objects.
"""

from flask import request
from moto.s3.exceptions import AccessDeniedByLock, MissingKey, S3ClientError
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


class NoRetention(S3ClientError):
    code = "NoSuchObjectLockConfiguration"
    message = "The specified object does not have a ObjectLock configuration"


def retention_is_never_shortened():
    original = S3Backend.put_object_retention

    def put_object_retention(self, bucket_name, key_name, version_id, retention):
        key = self.get_object(bucket_name, key_name, version_id=version_id)
        mode, until = retention
        if key is not None and key.lock_until:
            weaker = (until or "") < key.lock_until or (key.lock_mode == "COMPLIANCE" and mode != "COMPLIANCE")
            bypass = key.lock_mode == "GOVERNANCE" and request.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
            if weaker and not bypass:
                raise AccessDeniedByLock
        return original(self, bucket_name, key_name, version_id, retention)

    S3Backend.put_object_retention = put_object_retention


def default_can_change_on_a_bucket_in_use():
    original = S3Backend.put_object_lock_configuration

    def put_object_lock_configuration(self, bucket_name, lock_enabled, mode=None, days=None, years=None):
        bucket = self.get_bucket(bucket_name)
        if not bucket.object_lock_enabled:
            return original(self, bucket_name, lock_enabled, mode, days, years)
        bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days, years

    S3Backend.put_object_lock_configuration = put_object_lock_configuration


def multipart_uploads_are_locked_too():
    """moto applied the default to PutObject only: a large backup was unlocked while a small one was locked."""
    original = S3Backend.complete_multipart_upload

    def complete_multipart_upload(self, bucket_name, multipart_id, body):
        key = original(self, bucket_name, multipart_id, body)
        bucket = self.get_bucket(bucket_name)
        if key is not None and not key.lock_mode and bucket.has_default_lock:
            key.lock_mode, key.lock_until = bucket.default_lock_mode, bucket.default_retention()
        return key

    S3Backend.complete_multipart_upload = complete_multipart_upload


def retention_can_be_read():
    """moto has no GetObjectRetention and answered the object itself.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html"""
    original = S3Response._key_response_get

    def respond(self, query, key_name):
        if "retention" not in query:
            return original(self, query, key_name)
        key = self.backend.get_object(self.bucket_name, key_name, version_id=self._get_param("versionId"))
        if key is None:
            raise MissingKey(key=key_name)
        if not key.lock_mode:
            raise NoRetention
        body = f"<Retention><Mode>{key.lock_mode}</Mode><RetainUntilDate>{key.lock_until}</RetainUntilDate></Retention>"
        return 200, {"content-type": "application/xml"}, body

    S3Response._key_response_get = respond


def apply():
    retention_can_be_read()
    retention_is_never_shortened()
    default_can_change_on_a_bucket_in_use()
    multipart_uploads_are_locked_too()
